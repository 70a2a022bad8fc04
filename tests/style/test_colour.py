"""Colours: kept light, kept tints, matched statistics."""

import numpy as np

from minigan.style import colour

RNG = np.random.default_rng(0)
PAINTING, CONTENT = 0.3 + 0.4 * RNG.random((3, 8, 9)), 0.4 + 0.2 * RNG.random((3, 8, 9))
LIGHT = np.array([0.299, 0.587, 0.114])


def test_light_of_one_tints_of_the_other():
    mixed = colour.with_colours_of(PAINTING, CONTENT)
    light = np.tensordot(LIGHT, mixed, 1)
    np.testing.assert_allclose(light, np.tensordot(LIGHT, PAINTING, 1), atol=1e-5)
    np.testing.assert_allclose(mixed - light, CONTENT - np.tensordot(LIGHT, CONTENT, 1), atol=2e-3)
    np.testing.assert_allclose(colour.with_colours_of(CONTENT, CONTENT), CONTENT, atol=1e-6)


def test_matched_colours_have_the_targets_mean_and_covariance():
    matched = colour.match_colours(PAINTING, CONTENT)
    np.testing.assert_allclose(matched.reshape(3, -1).mean(1), CONTENT.reshape(3, -1).mean(1), atol=1e-3)
    np.testing.assert_allclose(np.cov(matched.reshape(3, -1)), np.cov(CONTENT.reshape(3, -1)), atol=3e-4)


def test_matching_moves_colours_as_little_as_a_linear_map_can():
    """The map is symmetric and positive: it turns no hue round. Between equals it is none."""
    np.testing.assert_allclose(colour.match_colours(CONTENT, CONTENT), CONTENT, atol=1e-5)
    moved = colour.match_colours(CONTENT, PAINTING) - PAINTING.mean((1, 2), keepdims=True)
    flat = (CONTENT - CONTENT.mean((1, 2), keepdims=True)).reshape(3, -1)
    matrix = np.linalg.lstsq(flat.T, moved.reshape(3, -1).T, rcond=None)[0]
    np.testing.assert_allclose(matrix, matrix.T, atol=0.02)
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_recoloured_by_shares_and_masks():
    red, blue = (np.array(tint)[:, None, None] * PAINTING for tint in ((1.2, 0.3, 0.3), (0.3, 0.3, 1.2)))
    none = [None, None]
    np.testing.assert_allclose(colour.recoloured(CONTENT, [red], [1.0], [None], 0.0), CONTENT, atol=1e-6)
    one, other = (colour.match_colours(CONTENT, style) for style in (red, blue))
    both = colour.recoloured(CONTENT, [red, blue], [0.75, 0.25], none, 1.0)
    np.testing.assert_allclose(both, 0.75 * one + 0.25 * other, atol=1e-4)
    left = np.zeros((8, 9))
    left[:, :4] = 1
    halves = colour.recoloured(CONTENT, [red, blue], [0.5, 0.5], [left, 1 - left], 1.0)
    np.testing.assert_allclose(halves[:, :, :4], one[:, :, :4], atol=1e-4)
    np.testing.assert_allclose(halves[:, :, 4:], other[:, :, 4:], atol=1e-4)
    nowhere = colour.recoloured(CONTENT, [red], [1.0], [np.zeros((8, 9))], 1.0)
    np.testing.assert_allclose(nowhere, CONTENT, atol=1e-6)


def test_matching_a_grey_picture_stays_finite():
    grey = np.repeat(RNG.random((1, 8, 8)), 3, 0)
    assert np.isfinite(colour.match_colours(grey, CONTENT)).all()
    assert np.isfinite(colour.match_colours(np.full((3, 8, 8), 0.5), CONTENT)).all()


def test_noise_has_the_styles_colours():
    noise = colour.noise_like(CONTENT, 64, 48, np.random.default_rng(0))
    assert noise.shape == (3, 64, 48) and noise.min() >= 0 and noise.max() <= 1
    np.testing.assert_allclose(noise.reshape(3, -1).mean(1), CONTENT.reshape(3, -1).mean(1), atol=5e-3)
    np.testing.assert_allclose(np.cov(noise.reshape(3, -1)), np.cov(CONTENT.reshape(3, -1)), atol=5e-4)
