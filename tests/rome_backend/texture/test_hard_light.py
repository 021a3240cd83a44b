# SPDX-License-Identifier: Apache-2.0
"""Tests of hard light: a shaded half of the face comes nearer to the other, all else stays."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.hard_light import evened
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.palette import between_lips_and_brows, region_texels

SIZE = 160
SKIN, HAIR = (190.0, 140.0, 115.0), (60.0, 45.0, 35.0)


class Lit:
    """The egg seen from the front; ``shade`` darkens its left half, with a soft edge."""

    def __init__(self, egg: HeadModel) -> None:
        self.atlas = atlas_of(egg, SIZE)
        self.points = self.atlas.spread(egg.template)
        self.regions = region_texels(egg, self.atlas)
        self.fill = MeshFill(egg)
        self.cheeks = between_lips_and_brows(self.points, self.regions)
        scalp = self.regions["hair"][:, None] > 0.5
        self.spots = np.random.default_rng(0).normal(0, 3, (len(self.points), 3))
        self.colour = (np.where(scalp, HAIR, SKIN) + self.spots).astype(np.float32)
        self.weight = np.clip((self.points[:, 2] + 0.01) / 0.06, 0, 1).astype(np.float32)
        face = (1 - self.regions["hair"] - self.regions["neck"]) > 0.99
        x = self.points[:, 0]
        self.left, self.right = (face & (self.weight > 0.9) & (x * s > 0.025) for s in (1, -1))

    def shade(self, share: float) -> np.ndarray:
        soft = np.clip(self.points[:, 0] / 0.01 + 0.5, 0, 1)[:, None]
        return (self.colour * (1 - (1 - share) * soft)).astype(np.float32)

    def evened(self, colour: np.ndarray) -> np.ndarray:
        seen = (colour, self.weight)
        return evened(self.atlas, self.fill, self.cheeks, seen, self.regions)


@pytest.fixture
def lit(egg: HeadModel) -> Lit:
    return Lit(egg)


def test_light_from_the_front_or_a_window_changes_nothing(lit: Lit) -> None:
    for share in (1.0, 0.85):
        colour = lit.shade(share)
        assert np.array_equal(lit.evened(colour), colour)


def test_most_of_a_hard_shadow_goes_and_it_is_the_shadow_that_changes(lit: Lit) -> None:
    colour = lit.shade(0.35)
    out = lit.evened(colour)
    before = colour[lit.right].mean() - colour[lit.left].mean()
    after = out[lit.right].mean() - out[lit.left].mean()
    assert before > 80
    assert 0 < after < 0.5 * before
    gained = out[lit.left].mean() - colour[lit.left].mean()
    lost = colour[lit.right].mean() - out[lit.right].mean()
    assert gained > 20
    assert 0 <= lost < 0.25 * colour[lit.right].mean()


def test_hue_and_fine_detail_of_the_shadow_stay_and_its_tint_does_not_burn(lit: Lit) -> None:
    colour = lit.shade(0.35)
    out = lit.evened(colour)
    was, now = (some[lit.left] - some[lit.left].mean(1, keepdims=True) for some in (colour, out))
    cosine = (was * now).sum(1) / np.linalg.norm(was, axis=1) / np.linalg.norm(now, axis=1)
    assert cosine.min() > 0.98
    stronger = np.linalg.norm(now, axis=1).mean() / np.linalg.norm(was, axis=1).mean()
    lighter = out[lit.left].mean() / colour[lit.left].mean()
    assert 1.1 < stronger < 0.85 * lighter
    fine = [np.log(some[lit.left].mean(1)) for some in (colour, out)]
    assert np.corrcoef(*fine)[0, 1] > 0.8


def test_which_half_lies_in_shadow_does_not_matter(lit: Lit) -> None:
    out = lit.evened(lit.shade(0.35))
    lit.points[:, 0] *= -1
    other = lit.evened(lit.shade(0.35))
    assert abs(out[lit.left].mean() - other[lit.right].mean()) < 2


def test_half_a_face_alone_is_left_as_it_is(lit: Lit) -> None:
    lit.weight[lit.points[:, 0] > 0] = 0
    colour = lit.shade(0.35)
    assert np.array_equal(lit.evened(colour), colour)
