# SPDX-License-Identifier: Apache-2.0
"""Tests of the expression directions: names, symmetry, support, lids and jaw.

Does not know how the fields were authored.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from rome_backend.core.normals import vertex_normals
from rome_backend.open_head.contact_lines import samples_of
from rome_backend.open_head.expressions import (
    ARKIT_NAMES,
    ExpressiveFace,
    expression_dirs,
    face_support,
)
from rome_backend.open_head.eye_contact import EYEBALLS, eye_radius
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.landmark_sets import INNER_LIP_PAIRS

MIRROR = np.array([-1.0, 1.0, 1.0])
JAW_KEYS = ("jawOpen", "jawForward", "jawLeft", "jawRight", "mouthClose", "tongueOut")
SHUT = (
    "mouthPucker",
    "mouthPressLeft",
    "mouthSmileLeft",
    "mouthFrownLeft",
    "mouthLeft",
    "cheekPuff",
)


@pytest.fixture(scope="module")
def deltas(geometry: HeadGeometry) -> dict[str, np.ndarray]:
    directions, names = expression_dirs(ExpressiveFace(geometry))
    assert directions.dtype == np.float32
    assert directions.shape == (len(geometry.vertices), 3, len(names))
    return {name: directions[:, :, k].astype(np.float64) for k, name in enumerate(names)}


def test_all_of_arkit() -> None:
    assert len(ARKIT_NAMES) == len(set(ARKIT_NAMES)) == 52
    assert {"jawOpen", "browInnerUp", "cheekPuff", "mouthRollUpper"} <= set(ARKIT_NAMES)
    assert ARKIT_NAMES[-1] == "tongueOut"
    for name in ARKIT_NAMES:
        if name.endswith("Left"):
            assert name.removesuffix("Left") + "Right" in ARKIT_NAMES


def test_pairs_are_mirror_images(geometry: HeadGeometry, deltas: dict[str, np.ndarray]) -> None:
    for name, delta in deltas.items():
        other = name
        for side, image in (("Left", "Right"), ("Right", "Left")):
            if name.endswith(side):
                other = name.removesuffix(side) + image
        np.testing.assert_allclose(
            deltas[other], delta[geometry.mirror] * MIRROR, atol=1e-9, err_msg=name
        )


def test_every_key_moves_millimetres(deltas: dict[str, np.ndarray]) -> None:
    for name, delta in deltas.items():
        largest = np.linalg.norm(delta, axis=1).max()
        limit = 0.05 if name in JAW_KEYS else 0.02
        assert 0.001 < largest < limit, name


def test_nothing_moves_outside_the_face(
    geometry: HeadGeometry, deltas: dict[str, np.ndarray]
) -> None:
    landmarks = np.arange(len(geometry.vertices)) < 468
    still = (geometry.regions["ears"] | geometry.regions["hair"]) & ~landmarks
    bottom = geometry.vertices[:, 1] < geometry.vertices[:468, 1].min() - 0.06
    for name, delta in deltas.items():
        if name not in JAW_KEYS:
            assert np.abs(delta[still]).max() == 0, name
        assert np.abs(delta[bottom & geometry.regions["neck"]]).max() < 1e-6, name


def test_eyeballs_move_with_gaze_only(
    geometry: HeadGeometry, deltas: dict[str, np.ndarray]
) -> None:
    balls = geometry.regions["left_eyeball"] | geometry.regions["right_eyeball"]
    for name, delta in deltas.items():
        assert np.any(delta[balls]) == name.startswith("eyeLook"), name


@pytest.mark.parametrize(
    ("name", "axis", "sign"),
    [
        ("eyeLookUpLeft", 1, 1),
        ("eyeLookDownLeft", 1, -1),
        ("eyeLookInLeft", 0, -1),
        ("eyeLookOutLeft", 0, 1),
        ("eyeLookInRight", 0, 1),
        ("eyeLookOutRight", 0, -1),
    ],
)
def test_gaze_turns_the_eyeball_by_25_degrees(
    geometry: HeadGeometry, deltas: dict[str, np.ndarray], name: str, axis: int, sign: int
) -> None:
    side = "left" if name.endswith("Left") else "right"
    ball = geometry.regions[f"{side}_eyeball"]
    centre = geometry.joints[EYEBALLS[f"{side}_eyeball"]]
    before = geometry.vertices[ball] - centre
    after = before + deltas[name][ball]
    np.testing.assert_allclose(
        np.linalg.norm(after, axis=1), np.linalg.norm(before, axis=1), rtol=1e-4
    )
    front = np.argmax(before[:, 2])
    cosine = before[front] @ after[front] / np.linalg.norm(before[front]) ** 2
    assert np.degrees(np.arccos(cosine)) == pytest.approx(25, abs=0.2)
    assert sign * (after[front] - before[front])[axis] > 0.004


def test_blink_closes_the_eye(geometry: HeadGeometry, deltas: dict[str, np.ndarray]) -> None:
    closed = geometry.vertices + deltas["eyeBlinkLeft"]
    line = ExpressiveFace(geometry).lids.line
    upper, lower = (samples_of(line.edges[side], closed)[2] for side in (line.upper, line.lower))
    assert cKDTree(lower).query(upper)[0].max() < 5e-4
    assert np.abs(deltas["eyeBlinkLeft"][geometry.vertices[:, 0] < -0.005]).max() < 1e-4


def deepest(geometry: HeadGeometry, vertices: np.ndarray) -> float:
    """How deep (m) the outer skin stands in the left eyeball's front."""
    skin = np.flatnonzero(geometry.regions["face"])
    centre = geometry.joints[EYEBALLS["left_eyeball"]]
    arms = vertices[skin] - centre
    length = np.linalg.norm(arms, axis=1)
    near = (length < 0.016) & (arms[:, 2] > 0.25 * length)
    ball = vertices[geometry.regions["left_eyeball"]]
    return float((eye_radius(ball, centre, arms[near] / length[near, None]) - length[near]).max())


def test_no_lid_enters_the_eyeball(geometry: HeadGeometry, deltas: dict[str, np.ndarray]) -> None:
    allowed = max(deepest(geometry, geometry.vertices), 0.0) + 2e-5
    for name, delta in deltas.items():
        assert deepest(geometry, geometry.vertices + delta) < allowed, name


def test_half_a_blink_stays_on_the_eye(
    geometry: HeadGeometry, deltas: dict[str, np.ndarray]
) -> None:
    half = geometry.vertices + 0.5 * deltas["eyeBlinkLeft"]
    assert deepest(geometry, half) < 0.0005


def test_jaw_opens_and_mouth_close_closes(
    geometry: HeadGeometry, deltas: dict[str, np.ndarray]
) -> None:
    opened = geometry.vertices + deltas["jawOpen"]
    closed = opened + deltas["mouthClose"]
    upper, lower = np.array(INNER_LIP_PAIRS).T
    assert np.linalg.norm(opened[13] - opened[14]) > 0.02
    assert np.linalg.norm(closed[upper] - closed[lower], axis=1).max() < 0.0015
    assert deltas["mouthClose"][152, 1] < 0.2 * -deltas["jawOpen"][152, 1]
    assert deltas["jawLeft"][152, 0] > 0.004
    assert deltas["jawForward"][152, 2] > 0.004


def test_surface_is_not_turned_inside_out(
    geometry: HeadGeometry, deltas: dict[str, np.ndarray]
) -> None:
    """Forehead, cheeks and nose keep their orientation under every key."""
    near_hole = geometry.regions["lips"] | geometry.regions["mouth_inside"]
    near_hole = near_hole | geometry.regions["left_eye_region"]
    near_hole = near_hole | geometry.regions["right_eye_region"]
    calm = geometry.regions["face"] & ~near_hole
    before = vertex_normals(geometry.vertices, geometry.faces)
    for name, delta in deltas.items():
        after = vertex_normals(geometry.vertices + delta, geometry.faces)
        turned = np.einsum("vc,vc->v", before, after)[calm]
        assert np.mean(turned < 0) < 0.005, name


def test_support_is_whole_on_the_face_and_zero_on_the_ears(geometry: HeadGeometry) -> None:
    support = face_support(geometry)
    assert (support[:468] == 1).all()
    outside = geometry.skin_region("ears") & (np.arange(len(support)) >= 468)
    assert (support[outside] == 0).all()
    assert ((support > 0.05) & (support < 0.95)).any()


def test_lips_stay_shut(geometry: HeadGeometry, deltas: dict[str, np.ndarray]) -> None:
    upper, lower = np.array(INNER_LIP_PAIRS).T
    for name in SHUT:
        apart = deltas[name][upper] - deltas[name][lower]
        assert np.linalg.norm(apart, axis=1).max() < 5e-4, name
    for name in ("mouthRollLower", "mouthRollUpper"):
        assert np.abs(deltas[name][upper, 1] - deltas[name][lower, 1]).max() < 5e-4, name


@pytest.mark.parametrize(
    ("name", "landmark", "axis", "sign"),
    [
        ("mouthSmileLeft", 291, 1, 1),
        ("mouthSmileLeft", 291, 0, 1),
        ("mouthSmileLeft", 425, 1, 1),
        ("mouthFrownLeft", 291, 1, -1),
        ("mouthStretchLeft", 291, 0, 1),
        ("mouthUpperUpLeft", 269, 1, 1),
        ("mouthLowerDownLeft", 405, 1, -1),
        ("mouthPucker", 291, 0, -1),
        ("mouthPucker", 0, 2, 1),
        ("mouthFunnel", 13, 1, 1),
        ("mouthFunnel", 14, 1, -1),
        ("mouthLeft", 0, 0, 1),
        ("mouthRollUpper", 0, 2, -1),
        ("mouthRollLower", 17, 2, -1),
        ("mouthShrugLower", 17, 1, 1),
        ("browDownLeft", 285, 1, -1),
        ("browInnerUp", 285, 1, 1),
        ("browOuterUpLeft", 300, 1, 1),
        ("cheekPuff", 425, 2, 1),
        ("cheekSquintLeft", 280, 1, 1),
        ("noseSneerLeft", 327, 1, 1),
        ("eyeWideLeft", 386, 1, 1),
        ("eyeLookDownLeft", 386, 1, -1),
        ("eyeLookUpLeft", 386, 1, 1),
    ],
)
def test_directions(
    deltas: dict[str, np.ndarray], name: str, landmark: int, axis: int, sign: int
) -> None:
    assert sign * deltas[name][landmark, axis] > 0.001


def test_same_arrays_each_time(geometry: HeadGeometry) -> None:
    first, second = (expression_dirs(ExpressiveFace(geometry))[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_landmarks_move_as_in_ict_facekit(
    geometry: HeadGeometry, deltas: dict[str, np.ndarray], data_dir: Path
) -> None:
    """Another rig's expressions under the same names agree in direction and roughly in size."""
    flame = np.load(data_dir / "flame" / "flame2023_open_reduced.npz")
    ict = np.load(data_dir / "flame" / "flame_topology_expressions_from_ict.npz")
    corners = flame["faces"][flame["mp_lmk_face_idx"]]
    moves = ict["exprdirs"].astype(np.float64)[corners]
    moves = np.einsum("lc,lcxe->elx", flame["mp_lmk_b_coords"], moves)
    agreement = {}
    for name, theirs in zip(ict["names"], moves, strict=True):
        ours = str(name).replace("_L", "Left").replace("_R", "Right")
        if ours not in deltas or ours == "cheekPuff":  # no landmark on the cheeks
            continue
        mine = deltas[ours][flame["mp_landmark_indices"]]
        lengths = np.linalg.norm(mine), np.linalg.norm(theirs)
        agreement[ours] = np.sum(mine * theirs) / (lengths[0] * lengths[1])
        assert 0.3 < lengths[0] / lengths[1] < 1.6, ours
    assert len(agreement) > 40
    assert min(agreement.values()) > 0.3
    assert np.median(list(agreement.values())) > 0.83
