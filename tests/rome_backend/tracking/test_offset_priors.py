# SPDX-License-Identifier: Apache-2.0
"""Beliefs about hair and necks on the built-in head. Does not know photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.types import HeadModel, OffsetBasis
from rome_backend.open_head.build import open_head
from rome_backend.open_head.laplacian import adjacency
from rome_backend.open_head.offset_basis import offset_basis
from rome_backend.tracking.offset_priors import (
    basis_prior,
    beside_jaw,
    outline_trust,
    seam_closed,
)


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return open_head()


@pytest.fixture(scope="module")
def basis(head: HeadModel) -> OffsetBasis:
    return offset_basis(head, count=140)


def test_hair_is_trusted_and_necks_less_and_less(head: HeadModel) -> None:
    trust = outline_trust(head)
    assert np.all(trust[head.regions["hair"]] == 1)
    neck = head.regions["neck"]
    assert trust[neck].min() >= 0 and trust[neck].max() < 1.0 + 1e-9
    order = np.argsort(head.template[neck, 1])
    lowest, highest = trust[neck][order[:50]], trust[neck][order[-200:]]
    assert lowest.max() <= 0.011
    assert highest.mean() > 5 * lowest.mean()


def test_neck_beside_the_face_is_not_trusted(head: HeadModel) -> None:
    face = ~(head.regions["hair"] | head.regions["neck"])
    touching = adjacency(head.faces, len(face)) @ face > 0
    border = touching & head.regions["neck"]
    assert border.any()
    assert outline_trust(head)[border].max() <= (1 / 4) ** 2 + 1e-9


def test_without_evidence_short_hair_is_short_at_the_nape(
    head: HeadModel, basis: OffsetBasis
) -> None:
    hair = head.regions["hair"]
    low = hair & (head.template[:, 1] < head.template[head.regions["ears"], 1].min())
    lengths = {}
    for short in (0.0, 1.0):
        matrix, right = basis_prior(head, basis, short)
        assert np.linalg.eigvalsh(matrix).min() > 0.99
        coefficients = np.linalg.solve(matrix, right)
        offsets = basis.mean + basis.dirs @ coefficients
        lengths[short] = float(np.linalg.norm(offsets[low], axis=1).mean())
    assert lengths[1.0] < 0.5 * lengths[0.0]
    assert not basis_prior(head, basis, 0.0)[1].any()


def test_a_head_without_ears_has_no_belief_about_low_hair(
    head: HeadModel, basis: OffsetBasis
) -> None:
    regions = {k: v for k, v in head.regions.items() if k != "ears"}
    bare = replace(head, regions=regions)
    matrix, right = basis_prior(bare, basis, 1.0)
    assert matrix == pytest.approx(np.eye(60))
    assert not right.any()
    assert beside_jaw(bare).shape == (0, 3)


def test_points_beside_the_jaw_are_outside_the_bald_head(head: HeadModel) -> None:
    points = beside_jaw(head)
    assert (points[:, 0] > 0).sum() == (points[:, 0] < 0).sum()
    for x, y, _ in points:
        level = np.abs(head.template[:, 1] - y) < 0.006
        assert abs(x) > np.abs(head.template[level & ~head.regions["ears"], 0]).max()


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
