"""Pictures to paint and to paint like, drawn by a few lines each: nothing to download, nothing to license.

Contents have what people notice first: a face, straight lines, a horizon. Styles have motifs that keep their
share of the picture at any size, unlike textures, whose motifs keep their pixels.
"""

import functools
import os

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from minigan.data import brush, load_image
from minigan.data.demo_style import paint_demo_style
from minigan.data.noise import noise, octaves

SIDE = 1024  # pixels of the longer side


def _canvas(colours, height=SIDE * 3 // 4, width=SIDE):
    """A sky: colours (count, 3) from top to bottom, with a little cloud."""
    places = np.linspace(0, len(colours) - 1, height)
    rows = np.stack([np.interp(places, range(len(colours)), column) for column in np.array(colours).T], 1)
    clouds = octaves(np.random.default_rng(4), SIDE, SIDE / 3, 5)[:height, :width, None]
    return Image.fromarray(np.uint8(np.clip(rows[:, None] + 70 * (clouds - 0.5), 0, 255)))


def _array(image, grain=6.0):
    """As (3, H, W) in [0, 1], with the grain that every photograph has and no drawing."""
    array = np.asarray(image.filter(ImageFilter.GaussianBlur(1)), np.float32)
    generator = np.random.default_rng(0)
    shade = octaves(generator, SIDE, 60, 6)[: array.shape[0], : array.shape[1], None] - 0.5
    array = array + 30 * shade + grain * generator.standard_normal(array.shape)
    return np.ascontiguousarray((array / 255).clip(0, 1).transpose(2, 0, 1), np.float32)


def portrait():
    """A face from the front: hair, eyes, nose, mouth, collar; light from the left."""
    image = _canvas([(150, 140, 120), (90, 84, 80)], SIDE, SIDE * 3 // 4)
    draw = ImageDraw.Draw(image)
    draw.ellipse((190, 110, 580, 640), fill=(52, 34, 26))  # hair
    draw.rectangle((310, 560, 460, 760), fill=(190, 140, 112))  # neck
    draw.polygon([(40, 1024), (110, 800), (310, 710), (385, 860), (460, 710), (660, 800), (730, 1024)],
                 fill=(38, 54, 92))  # fmt: skip
    draw.polygon([(310, 700), (385, 860), (460, 700), (440, 690), (330, 690)], fill=(235, 232, 222))
    draw.ellipse((235, 170, 535, 620), fill=(222, 172, 140))  # face
    shadow = Image.new("L", image.size)
    ImageDraw.Draw(shadow).ellipse((410, 200, 600, 640), fill=110)
    shadow = shadow.filter(ImageFilter.GaussianBlur(45))
    image.paste(Image.new("RGB", image.size, (120, 72, 58)), mask=shadow)
    draw = ImageDraw.Draw(image)
    for x in (318, 452):
        draw.ellipse((x - 34, 352, x + 34, 392), fill=(245, 242, 236))
        draw.ellipse((x - 17, 353, x + 17, 391), fill=(64, 96, 84))
        draw.ellipse((x - 8, 363, x + 8, 381), fill=(16, 14, 14))
        draw.arc((x - 46, 305, x + 46, 380), 200, 340, fill=(56, 36, 26), width=13)
        draw.arc((x - 37, 346, x + 37, 396), 185, 355, fill=(60, 40, 32), width=6)
    draw.line([(385, 380), (368, 470), (402, 478)], fill=(160, 106, 84), width=8)
    draw.chord((325, 505, 445, 565), 0, 180, fill=(172, 62, 62))
    draw.line([(325, 535), (445, 535)], fill=(110, 34, 38), width=6)
    draw.chord((215, 110, 555, 330), 180, 360, fill=(58, 38, 28))
    return _array(image)


def street():
    """Houses with rows of windows, roofs and a tower: straight lines, upright and slanting."""
    image = _canvas([(120, 165, 215), (205, 220, 232)])
    draw, generator = ImageDraw.Draw(image), np.random.default_rng(2)
    walls = [
        (214, 178, 130),
        (196, 110, 84),
        (226, 214, 190),
        (150, 160, 150),
        (232, 196, 90),
        (182, 140, 130),
    ]
    draw.polygon([(600, 330), (640, 60), (680, 330)], fill=(84, 92, 104))
    draw.rectangle((600, 330, 680, 620), fill=(170, 160, 146))
    left = -20
    for k, wall in enumerate(walls * 2):
        width, top = int(generator.integers(110, 190)), int(generator.integers(230, 400))
        draw.rectangle((left, top, left + width, 640), fill=wall)
        draw.polygon([(left - 8, top), (left + width // 2, top - 90), (left + width + 8, top)],
                     fill=[(128, 62, 48), (92, 72, 66), (110, 84, 60)][k % 3])  # fmt: skip
        for y in range(top + 25, 560, 75):
            for x in range(left + 16, left + width - 30, 46):
                draw.rectangle((x, y, x + 24, y + 44), fill=(50, 62, 80), outline=(240, 238, 230), width=4)
        left += width
    draw.polygon([(0, 768), (0, 640), (1024, 640), (1024, 768)], fill=(120, 112, 104))
    for x in range(-200, 1300, 90):
        draw.line([(512 + (x - 512) // 3, 640), (x, 768)], fill=(96, 90, 84), width=4)
    return _array(image)


def bridge():
    """A suspension bridge over water, hills behind it: long thin lines before a soft ground."""
    image = _canvas([(90, 130, 190), (190, 200, 210), (236, 206, 170)])
    draw = ImageDraw.Draw(image)
    ridges = noise(np.random.default_rng(8), SIDE, 230)
    for base, shade in ((380, (110, 126, 150)), (440, (84, 100, 96)), (480, (66, 78, 62))):
        edge = [(x, base - 150 * ridges[base, x]) for x in range(0, SIDE, 4)]
        draw.polygon([(0, 540), *edge, (SIDE, 540)], fill=shade)
    draw.rectangle((0, 530, SIDE, 768), fill=(62, 98, 124))
    for k, y in enumerate(range(536, 768, 7)):
        draw.line([((k * 331) % 900 - 60, y), ((k * 331) % 900 + 160, y)], fill=(110, 146, 164), width=3)
    red = (186, 66, 44)
    for x in (270, 760):
        for side in (-22, 14):
            draw.rectangle((x + side, 150, x + side + 9, 640), fill=red)
        for y in (150, 230, 310, 390):
            draw.rectangle((x - 22, y, x + 22, y + 10), fill=red)
    draw.rectangle((0, 470, SIDE, 482), fill=red)
    for middle, half in ((515, 245), (25, 245), (1005, 245)):
        cable = [
            (x, 450 - 290 * ((x - middle) / half) ** 2) for x in range(middle - half, middle + half + 1, 5)
        ]
        draw.line(cable, fill=red, width=6)
        for x, y in cable[::6]:
            draw.line([(x, y), (x, 472)], fill=(160, 70, 54), width=2)
    return _array(image)


def orchard():
    """A hill with round trees, a path and a low sun: soft masses of light and dark."""
    image = _canvas([(80, 120, 180), (240, 190, 130)])
    draw, generator = ImageDraw.Draw(image), np.random.default_rng(5)
    draw.ellipse((700, 150, 830, 280), fill=(255, 236, 180))
    draw.ellipse((-300, 380, 900, 1200), fill=(96, 128, 62))
    draw.ellipse((450, 440, 1500, 1200), fill=(76, 104, 56))
    draw.polygon([(420, 400), (440, 400), (560, 768), (380, 768)], fill=(206, 180, 134))
    for x, y, radius in ((150, 400, 80), (300, 470, 95), (640, 460, 100), (830, 440, 85), (950, 560, 120)):
        draw.rectangle((x - 9, y, x + 9, y + 150), fill=(74, 52, 38))
        for _ in range(60):
            dx, dy = generator.normal(0, radius / 2.2, 2)
            green = (
                int(40 + 50 * generator.random() - dx / 4),
                int(80 + 50 * generator.random() - dx / 4),
                44,
            )
            draw.ellipse((x + dx - 26, y + dy - 26, x + dx + 26, y + dy + 26), fill=green)
    return _array(image)


def _painted(seed, palette, coats, turns, plan_period):
    """Strokes in coats (length, width, density; shares of the side) over a plan of soft fields of colour."""
    generator = np.random.default_rng(seed)
    palette = np.array(palette) / 255
    place = octaves(generator, SIDE, plan_period * SIDE, 3) * (len(palette) - 1)
    left = np.minimum(place.astype(int), len(palette) - 2)
    t = (place - left)[..., None]
    plan = palette[left] * (1 - t) + palette[left + 1] * t
    flow = brush.whirls(generator, SIDE, turns) if turns else 2 * np.pi * noise(generator, SIDE, 0.4 * SIDE)
    picture = plan
    for length, width, density in coats:
        picture = brush.cover(
            generator, flow, plan, length=length * SIDE, width=width * SIDE, density=density, picture=picture,
            spread=0.09,
        )  # fmt: skip
    return np.ascontiguousarray(picture.clip(0, 1).transpose(2, 0, 1)[:, : SIDE * 3 // 4], np.float32)


def gale():
    """Long sweeping strokes of sea and foam, in three coats."""
    colours = [(12, 28, 40), (24, 62, 76), (60, 110, 112), (188, 196, 172), (238, 228, 190), (150, 96, 50)]
    return _painted(11, colours, ((0.22, 0.035, 1.6), (0.12, 0.018, 1.5), (0.05, 0.008, 0.7)), 0, 0.5)


def whirls():
    """Strokes round six centres, warm against cold."""
    colours = [(30, 26, 84), (40, 80, 160), (110, 170, 190), (246, 220, 120), (226, 120, 40), (140, 30, 40)]
    return _painted(12, colours, ((0.14, 0.02, 2.4), (0.08, 0.011, 1.2)), 6, 0.35)


def dabs():
    """Short broad dabs, as of a pointillist in a hurry."""
    colours = [(60, 84, 50), (120, 150, 70), (214, 204, 120), (236, 170, 150), (150, 130, 180), (70, 90, 150)]
    return _painted(13, colours, ((0.03, 0.022, 2.6), (0.02, 0.013, 1.2)), 0, 0.3)


def embers():
    """Broad dark masses with a few burning strokes."""
    colours = [(16, 12, 14), (40, 20, 20), (96, 28, 20), (24, 16, 18), (206, 74, 22), (250, 196, 90)]
    return _painted(14, colours, ((0.16, 0.05, 1.8), (0.07, 0.02, 1.0), (0.03, 0.006, 0.5)), 3, 0.6)


def hopper():
    """Grace Hopper, US Navy, public domain; it travels with matplotlib."""
    from matplotlib.cbook import get_sample_data

    return load_image(str(get_sample_data("grace_hopper.jpg", asfileobj=False)))


def night():
    """The style that travels with minigan."""
    return paint_demo_style(SIDE)


SCENES = {one.__name__: one for one in (portrait, street, bridge, orchard, hopper)}
STYLES = {one.__name__: one for one in (gale, whirls, dabs, embers, night)}
OWN = (
    ("hopper", "night"), ("hopper", "gale"), ("portrait", "whirls"), ("portrait", "embers"),
    ("street", "night"), ("street", "dabs"), ("bridge", "whirls"), ("orchard", "gale"),
)  # fmt: skip


@functools.cache
def picture(name):
    """A picture (3, H, W) in [0, 1]: one of SCENES and STYLES, a file, or a file of MINIGAN_DATA/pictures."""
    if name in SCENES or name in STYLES:
        return (SCENES | STYLES)[name]()
    if os.path.exists(name):
        return load_image(name)
    return load_image(os.path.join(os.environ.get("MINIGAN_DATA", "."), "pictures", f"{name}.jpg"))
