"""Every GAN on pictures of 64 pixels: ``python benchmarks/gan_models_64.py dcgan msg style ...``.

The pictures are coloured glyphs, or those of a folder (--data); --size 128 makes them larger. Each model
trains for the same processor time (a fixed number of --steps favours the costly ones), then draws
samples from its averaged generator, which are judged in the features of one classifier beside real
pictures, and for sharpness. Samples are kept in the folder given by --out, so that models can be run one
by one, or side by side; the table and the contact sheet show all that are there.
"""

import argparse
import json
import time
from pathlib import Path

import common
import numpy as np

from minigan import gan
from minigan.data import open_dataset
from minigan.gan import classifier, models, sharpness
from minigan.gan.evaluate import evaluate
from minigan.viz import image_grid, save_png

NAMES = ("dcgan", "pooled", "progressive", "msg", "style", "vae")
SHOWN = 12  # pictures of each model on the sheet
SAMPLES = 2000  # pictures of each model that are judged
FIGURES = ("frechet_distance", "kernel_distance", "confident", "classes", "precision", "recall", "coverage")
GRID = 0.75  # of the highest frequency: where the patterns of single pixels lie


def train(name, data, seconds, steps, settings):
    """Train for so many steps, or seconds of processor time; return the samples and what was done."""
    if name == "pooled":  # its base is the filters at full size, all others' those at half size
        settings = settings | {"base": max(1, settings["base"] // 2)}
    config = gan.resolve(name, shape=data.images.shape[1:], **settings)
    trainer = gan.Trainer.create(config, data.images, data.labels)
    started, told = time.process_time(), 0.0
    while (done := trainer.step / steps if steps else spent(started) / seconds) < 1:
        trainer.progress = done
        record = trainer.train_step()
        if done - told > 0.1:
            told, figures = done, f"D {record.d_loss:.2f}, G {record.g_loss:.2f}"
            print(f"{name}: {spent(started):.0f} s, {record.step} steps, {figures}", flush=True)
    facts = {
        "seconds": spent(started),
        "steps": trainer.step,
        "generator": models.count_parameters(trainer.generator),
        "discriminator": models.count_parameters(trainer.discriminator),
        "settings": config.to_dict(),
    }
    return trainer.sample(trainer.fixed_latents(SAMPLES)), facts


def spent(started):
    """Seconds of processor time, all threads together; a pause of the machine costs none."""
    return time.process_time() - started


def judged(samples, facts, data, judge):
    """Figures of the samples and of real pictures in their place."""
    found = evaluate(lambda n: samples[:n], data.images, judge, samples=len(samples))
    real = data.images[: len(samples)]
    sharp = {
        "gradient": sharpness.gradient_energy(samples).mean() / sharpness.gradient_energy(real).mean(),
        "laplacian": sharpness.laplacian_variance(samples).mean() / sharpness.laplacian_variance(real).mean(),
        "pixel scale": pixel_scale(samples) / pixel_scale(real),
    }
    figures = {"figures": found.figures, "floor": found.floor, "memory": found.memory.words}
    return {**facts, **figures, "sharpness": sharp}


def pixel_scale(pictures):
    """Energy of the grey pictures (N, C, H, W) at the highest frequencies, where grids and noise lie."""
    grey = pictures.mean(axis=1)
    energy = (np.abs(np.fft.fft2(grey - grey.mean(axis=(1, 2), keepdims=True))) ** 2).mean(axis=0)
    down, right = (2 * np.abs(np.fft.fftfreq(n)) for n in grey.shape[1:])
    return float(energy[np.maximum.outer(down, right) > GRID].mean())


def main():
    """Train what was asked for, then show all that is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="models to train; none: only the table")
    parser.add_argument("--seconds", type=float, default=240, help="of processor time for each")
    parser.add_argument("--steps", type=int, default=0, help="train so many steps instead")
    parser.add_argument("--base", type=int, default=16, help="filters at half size")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", default="glyphs", help="a folder of pictures instead")
    parser.add_argument("--size", type=int, default=64, help="pixels a side: 64 or 128, say")
    parser.add_argument("--pictures", type=int, default=5000)
    parser.add_argument("--out", default="gan-models-64", help="folder for samples, table and sheet")
    options = parser.parse_args()
    common.print_environment(common.environment())
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    data = open_dataset(options.data, size=options.size, channels=3, limit=options.pictures, note=print)
    settings = {"base": options.base, "batch": options.batch, "seed": options.seed}
    for name in options.names:
        samples, facts = train(name, data, options.seconds, options.steps, settings)
        np.savez_compressed(out / f"{name}.npz", samples=samples, facts=json.dumps(facts))
    show(out, data)


def show(out, data):
    """Print the table and write results.json and sheet.png from the samples in the folder."""
    if not any(out.glob("*.npz")):
        print(f"{out}: no samples yet; name a model to train")
        return
    judge = classifier.for_data(data.images, data.labels)
    results, rows, pictures, labels = {}, [], [data.images[:SHOWN]], ["real"] + [""] * (SHOWN - 1)
    for path in sorted(out.glob("*.npz")):
        with np.load(path) as file:
            samples, facts = file["samples"], json.loads(str(file["facts"]))
        found = results[path.stem] = judged(samples, facts, data, judge)
        pictures.append(samples[:SHOWN])
        labels += [path.stem] + [""] * (SHOWN - 1)
        rows.append([path.stem, *measures(found, "figures"), *found["sharpness"].values()])
        print(f"{path.stem}: {found['memory']}")
    rows.append(["real", *measures(found, "floor"), 1.0, 1.0, 1.0])
    common.print_table(["model", "steps", "G", *FIGURES, *found["sharpness"]], rows)
    common.write_json(out / "results.json", results)
    save_png(out / "sheet.png", image_grid(np.concatenate(pictures), columns=SHOWN, labels=labels, scale=1))


def measures(found, kind):
    """The cells of a row; real pictures took no steps and no parameters."""
    made = [f"{found['steps']}", f"{found['generator']:,}"] if kind == "figures" else ["", ""]
    return [*made, *(found[kind].get(name, "") for name in FIGURES)]


if __name__ == "__main__":
    main()
