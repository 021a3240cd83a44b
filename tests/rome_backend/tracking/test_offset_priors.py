# SPDX-License-Identifier: Apache-2.0
"""Trust in outlines, and the seam of hair and neck, on the built-in head. Does not know photos."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import open_head
from rome_backend.open_head.laplacian import adjacency
from rome_backend.open_head.surface_distance import surface_distance
from rome_backend.tracking.offset_priors import outline_trust, seam_closed


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return open_head()


def test_hair_is_trusted_and_necks_less_and_less(head: HeadModel) -> None:
    trust = outline_trust(head)
    assert np.all(trust[head.regions["hair"]] == 1)
    neck = head.regions["neck"]
    assert trust[neck].min() >= 0 and trust[neck].max() < 1.0 + 1e-9
    order = np.argsort(head.template[neck, 1])
    lowest, highest = trust[neck][order[:50]], trust[neck][order[-200:]]
    assert lowest.max() <= 0.101
    assert highest.mean() > 1.5 * lowest.mean()


def test_neck_beside_the_face_is_not_trusted(head: HeadModel) -> None:
    face = ~(head.regions["hair"] | head.regions["neck"])
    touching = adjacency(head.faces, len(face)) @ face > 0
    border = touching & head.regions["neck"]
    assert border.any()
    assert outline_trust(head)[border].max() <= 0.25
    assert np.median(outline_trust(head)[border]) <= 0.1


def test_trust_rises_with_the_way_from_the_face(head: HeadModel) -> None:
    trust = outline_trust(head)
    fixed = ~(head.regions["hair"] | head.regions["neck"])
    away = surface_distance(head.template.astype(np.float64), head.faces, fixed)
    high = head.regions["neck"] & (head.template[:, 1] > head.template[fixed, 1].min())
    near, far = high & (away < 0.01), high & (away > 0.04)
    assert trust[near].max() <= (1 / 3) ** 2 + 1e-9
    assert trust[far].mean() > 0.5


def test_the_seam_closes_for_short_hair_only(head: HeadModel) -> None:
    offsets = np.zeros(head.template.shape)
    offsets[head.regions["neck"]] = [0.0, 0.0, -0.01]
    edges = adjacency(head.faces, len(offsets)).tocoo()
    crossing = head.regions["neck"][edges.row] & head.regions["hair"][edges.col]

    def step(field: np.ndarray) -> float:
        gaps = field[edges.row[crossing]] - field[edges.col[crossing]]
        return float(np.linalg.norm(gaps, axis=1).mean())

    closed = seam_closed(head, offsets, 1.0)
    assert step(offsets) == pytest.approx(0.01)
    assert step(closed) < 0.003
    assert np.array_equal(seam_closed(head, offsets, 0.0), offsets)
    still = ~(head.regions["hair"] | head.regions["neck"])
    assert np.array_equal(closed[still], offsets[still])
