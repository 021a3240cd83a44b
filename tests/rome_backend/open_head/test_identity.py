# SPDX-License-Identifier: Apache-2.0
"""Tests of the shape directions: what identities may and may not do.

Does not know how the prior makes them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rome_backend.open_head.eye_contact import eye_radius
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.identity import sample_vertices, shape_dirs, with_steady_signs
from rome_backend.open_head.landmark_sets import INNER_LIP_PAIRS, LEFT_LOWER_LID, LEFT_UPPER_LID
from rome_backend.open_head.laplacian import vertex_areas


@pytest.fixture(scope="module")
def directions(geometry: HeadGeometry) -> np.ndarray:
    shapes = shape_dirs(geometry)
    assert shapes.dtype == np.float32
    assert shapes.shape == (len(geometry.vertices), 3, 60)
    return shapes.astype(np.float64)


@pytest.fixture(scope="module")
def heads(geometry: HeadGeometry, directions: np.ndarray) -> np.ndarray:
    """40 random heads (40, V, 3) m."""
    shapes = np.random.default_rng(1).normal(size=(40, 60))
    return geometry.vertices + np.einsum("vck,nk->nvc", directions, shapes)


def test_fewer_components_on_request(geometry: HeadGeometry, directions: np.ndarray) -> None:
    few = shape_dirs(geometry, 5)
    assert few.shape[2] == 5
    assert np.sum(few.astype(np.float64) ** 2) > 0.3 * np.sum(directions**2)


def test_ordered_by_variance_on_the_surface(geometry: HeadGeometry, directions: np.ndarray) -> None:
    area = vertex_areas(geometry.skin_vertices, geometry.skin_faces)
    variance = np.einsum("v,vck->k", area, directions[: geometry.skin_count] ** 2)
    assert (np.diff(variance) <= 1e-6 * variance[0]).all()
    assert variance[-1] > 0


def test_each_mode_is_symmetric_or_antisymmetric(
    geometry: HeadGeometry, directions: np.ndarray
) -> None:
    image = directions[geometry.mirror] * np.array([-1, 1, 1])[:, None]
    agreement = (directions * image).sum(axis=(0, 1)) / (directions**2).sum(axis=(0, 1))
    assert np.abs(np.abs(agreement) - 1).max() < 0.01
    assert 4 <= np.sum(agreement < 0) <= 20


def test_an_identity_cannot_open_the_mouth(directions: np.ndarray) -> None:
    upper, lower = np.array(INNER_LIP_PAIRS).T
    spread = np.sqrt(((directions[upper] - directions[lower]) ** 2).sum(axis=(1, 2)))
    assert spread.max() < 1e-4


def test_an_identity_cannot_close_the_eyes(geometry: HeadGeometry, directions: np.ndarray) -> None:
    upper, lower = list(LEFT_UPPER_LID), list(LEFT_LOWER_LID)
    gap = geometry.vertices[upper, 1] - geometry.vertices[lower, 1]
    spread = np.sqrt(((directions[upper] - directions[lower])[:, 1] ** 2).sum(axis=1))
    assert (spread / gap).max() < 0.13
    assert (spread / gap).max() > 0.03


def test_eyeballs_move_rigidly_and_stay_behind_the_lids(
    geometry: HeadGeometry, directions: np.ndarray, heads: np.ndarray
) -> None:
    ball = geometry.regions["left_eyeball"]
    assert np.abs(directions[ball] - directions[ball][0]).max() < 1e-9
    face = np.flatnonzero(geometry.regions["face"])
    for head in heads[:10]:
        centre = geometry.joints[3] + (head[ball] - geometry.vertices[ball])[0]
        arms = head[face] - centre
        length = np.linalg.norm(arms, axis=1)
        near = (length < 0.016) & (arms[:, 2] > 0)
        depth = eye_radius(head[ball], centre, arms[near] / length[near, None]) - length[near]
        assert depth.max() < 0.0003


def test_ears_do_not_shear(geometry: HeadGeometry, directions: np.ndarray) -> None:
    tip = geometry.regions["ears"] & (geometry.vertices[:, 0] > 0)
    outer = tip & (geometry.vertices[:, 0] > np.quantile(geometry.vertices[tip, 0], 0.7))
    spread = directions[outer].std(axis=0)
    size = np.sqrt((directions[outer] ** 2).sum())
    assert np.sqrt((spread**2).sum() * outer.sum()) < 0.15 * size


def test_the_necks_base_stays_and_the_cranium_varies(
    geometry: HeadGeometry, directions: np.ndarray
) -> None:
    size = np.sqrt((directions**2).sum(axis=(1, 2)))
    low = geometry.vertices[:, 1] < geometry.vertices[:, 1].min() + 0.003
    assert size[low].max() < 1e-5
    for region in ("hair", "ears", "face"):
        assert 0.002 < np.sqrt(np.mean(size[geometry.regions[region]] ** 2)) < 0.010, region


def test_head_width_height_and_depth_vary(geometry: HeadGeometry, heads: np.ndarray) -> None:
    part = geometry.regions["hair"] | geometry.regions["face"]
    extent = np.ptp(heads[:, part], axis=1) / np.ptp(geometry.vertices[part], axis=0)
    deviation = extent.std(axis=0)
    assert (deviation > 0.015).all() and (deviation < 0.08).all()


def test_sample_points_are_mirror_pairs_outside_the_face(geometry: HeadGeometry) -> None:
    samples = sample_vertices(geometry)
    assert set(geometry.mirror[samples].tolist()) == set(samples.tolist())
    assert not geometry.regions["face"][samples].any()
    assert 100 < len(samples) < 400


def test_real_faces_are_within_reach(directions: np.ndarray, data_dir: Path) -> None:
    """FLAME's own shapes, seen at its landmarks, are mostly explained by our directions."""
    flame = np.load(data_dir / "flame" / "flame2023_open_reduced.npz")
    corners = flame["shapedirs"][flame["faces"][flame["mp_lmk_face_idx"]]]
    moves = np.einsum("lc,lcxs->lxs", flame["mp_lmk_b_coords"], corners)[:, :, :20]
    points = np.einsum(
        "lc,lcx->lx",
        flame["mp_lmk_b_coords"],
        flame["v_template"][flame["faces"][flame["mp_lmk_face_idx"]]],
    )
    moves = without_rigid_motion(points, moves.reshape(-1, 20))
    ours = directions[flame["mp_landmark_indices"]].reshape(-1, 60)
    found = ours @ np.linalg.lstsq(ours, moves, rcond=1e-3)[0]
    left = ((moves - found) ** 2).sum() / (moves**2).sum()
    assert left < 0.15


def without_rigid_motion(points: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Remove translation, rotation and scale of points (L, 3) from moves (3 L, S)."""
    arm = points - points.mean(axis=0)
    rows = [np.tile(axis, (len(arm), 1)) for axis in np.eye(3)]
    rows += [np.cross(axis, arm) for axis in np.eye(3)] + [arm]
    basis = np.linalg.qr(np.array([row.ravel() for row in rows]).T)[0]
    return moves - basis @ (basis.T @ moves)


def test_signs_do_not_depend_on_rounding(geometry: HeadGeometry, directions: np.ndarray) -> None:
    """In modes that mirror themselves two entries are largest, but for the last bits."""
    flat = directions.reshape(-1, directions.shape[2])
    largest = np.sort(np.abs(flat), axis=0)[::-1]
    assert (largest[1] > 0.9999 * largest[0]).sum() > 10
    random = np.random.default_rng(0)
    across = geometry.vertices[:, 0]
    for sign in (1, -1):
        rounded = sign * directions * (1 + 1e-6 * random.normal(size=directions.shape))
        steady = with_steady_signs(rounded, across)
        assert (np.einsum("vck,vck->k", steady, directions) > 0).all()


def test_same_arrays_each_time(geometry: HeadGeometry, directions: np.ndarray) -> None:
    np.testing.assert_array_equal(shape_dirs(geometry), directions.astype(np.float32))
