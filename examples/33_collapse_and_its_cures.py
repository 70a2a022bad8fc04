# %% [markdown]
# # 33. Collapse and its cures
#
# **Question: my samples are all alike. Which cure does what?**
#
# The laboratory of `minigan lab` on eight little Gaussians, where modes can be counted: the plain GAN, and
# four cures that change one thing each. `minigan lab ring --cure all` does it at full length.
#
# Run it: `python examples/33_collapse_and_its_cures.py` (about a minute and a half).

# %%
import numpy as np

from minigan.gan.laboratory import CURES, Laboratory
from minigan.viz import draw_plane, lesson
from minigan.viz.plane import plane_points

quick = lesson.options("Collapse and its cures").quick
steps, base = (8, 16) if quick else (1200, 64)
print({name: change for name, change in CURES.items()})

# %% [markdown]
# ## Five games
#
# * none: the non-saturating GAN;
# * penalty: R1 keeps D's slope small at real points, so no region becomes a cliff;
# * packing: D judges four points at once, and four alike give themselves away (arXiv 1712.04086);
# * minibatch: D compares the points of a batch in a layer of its own (arXiv 1606.03498);
# * paired: D compares a real point with a generated one, with R1 and R2 (arXiv 2501.05441).

# %%
maps, counts, plane = [], {}, plane_points(1.6, 60)
for cure in CURES:
    laboratory = Laboratory("ring", cure=cure, base=base, batch=128, seed=1)
    for _ in laboratory.run(steps):
        pass
    counts[cure] = found = laboratory.statistics()
    clouds = {
        "real": laboratory.mixture.sample(200, np.random.default_rng(0)),
        "generated": laboratory.points(400),
    }
    belief = None if cure in ("packing", "minibatch") else laboratory.beliefs(plane)
    maps.append(draw_plane(belief, clouds, extent=1.6, size=240, title=f"{cure}: {found.modes} of 8"))
    print(f"{cure:>10}: {found.modes} modes, {found.high_quality:.0%} near one, reverse KL {found.kl:.3f}")
lesson.show(
    np.concatenate(maps, axis=1), "cures.png", "D's map and G's cloud after the same number of steps."
)

# %% [markdown]
# A pack or a batch has no map of single points: their D never judges one. Packing spreads the cloud over
# the whole ring first; where on it the points belong it learns later: its D has four times as much to read.

# %%
if not quick:
    assert counts["paired"].modes == 8 and counts["none"].modes < 8
    assert counts["paired"].kl < counts["none"].kl
figure = lesson.bars({cure: found.modes for cure, found in counts.items()}, x="modes found, of 8")
lesson.show(figure, "cures_counted.png", "Modes that the generator reaches with each cure.")

# %% [markdown]
# ## Exercise
#
# Why can D, judging one point at a time, not see that a mode is missing?
#
# <details><summary>Answer</summary>
#
# Every generated point that lies in some real mode is as good as a real one. What is missing is a property of
# many points together: of a pack, of a batch, or of a pairing with real ones.
#
# ```python
# assert CURES["packing"]["pack"] > 1
# ```
#
# </details>
