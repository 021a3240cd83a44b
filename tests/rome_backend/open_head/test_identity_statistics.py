# SPDX-License-Identifier: Apache-2.0
"""Tests of the modes of scanned heads carried to our head."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import F64
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.identity_statistics import FILE, scan_modes, without_similarity
from rome_backend.open_head.mean_face import mean_face, mirror_landmarks


@pytest.fixture(scope="module")
def modes(geometry: HeadGeometry) -> F64:
    """Modes at every third vertex of the skin and all landmarks."""
    rows = np.r_[np.arange(468), np.arange(468, len(geometry.skin_vertices), 3)]
    return scan_modes(geometry.skin_vertices[rows])


def test_stored_landmarks_lie_on_a_face_like_ours() -> None:
    with np.load(FILE) as stored:
        points = stored["points"][:468].astype(np.float64)
        assert FILE.stat().st_size < 600_000 and np.isfinite(stored["modes_mm"]).all()
    gap = np.linalg.norm(points - mean_face()[:468], axis=1)
    assert np.median(gap) < 0.005 and gap.max() < 0.02
    image = points[mirror_landmarks()[:468]] * [-1, 1, 1]
    assert np.abs(image - points).max() < 0.004


def test_heads_differ_by_as_much_as_scans_do(modes: F64) -> None:
    assert modes.shape[1:] == (3, 40)
    face = np.sqrt((modes[:468] ** 2).sum(axis=(1, 2)).mean())
    assert 0.0015 < face < 0.004
    size = np.sqrt((modes**2).sum(axis=1).mean(axis=0))
    assert size[:8].min() > 2.5 * size[-8:].max()


def test_modes_hold_no_similarity_motion(geometry: HeadGeometry, modes: F64) -> None:
    arm = geometry.skin_vertices[:468] - geometry.skin_vertices[:468].mean(axis=0)
    assert np.abs(modes[:468].mean(axis=0)).max() < 1e-9
    for axis in range(3):
        turn = np.cross(np.eye(3)[axis], arm)
        assert np.abs(np.einsum("lx,lxk->k", turn, modes[:468])).max() < 1e-9
    assert np.abs(np.einsum("lx,lxk->k", arm, modes[:468])).max() < 1e-9


def test_modes_are_smooth_between_face_and_skull(geometry: HeadGeometry) -> None:
    oval = geometry.skin_vertices[:468]
    step = np.array([0.0, 0.0, -0.0005])
    beside = oval[[10, 338, 297, 109, 67]] + step
    found = scan_modes(np.concatenate([oval, beside]))
    gap = np.linalg.norm(found[468:] - found[[10, 338, 297, 109, 67]], axis=1)
    assert gap.max() < 0.0025


def test_a_similarity_is_removed_completely_and_everywhere() -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(600, 3))
    arm = points - points[:468].mean(axis=0)
    motion = 0.3 * arm + np.cross([0.1, -0.2, 0.3], arm) + [1.0, 2, 3]
    left = without_similarity(points, motion[:, :, None])
    np.testing.assert_allclose(left, 0, atol=1e-10)


def test_face_widths_say_something_about_the_skull(geometry: HeadGeometry) -> None:
    skull = int(np.argmin(np.abs(geometry.skin_vertices - [0.07, 0.05, -0.08]).sum(axis=1)))
    rows = np.r_[np.arange(468), skull]
    modes = scan_modes(geometry.skin_vertices[rows])
    cheek, temple = modes[454, 0], modes[468, 0]
    correlation = cheek @ temple / np.linalg.norm(cheek) / np.linalg.norm(temple)
    assert correlation > 0.3
