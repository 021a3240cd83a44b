# SPDX-License-Identifier: Apache-2.0
"""Tests of the lids that follow a turning eyeball: by bones, by keys and by both.

Does not know how the correctives were regressed.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rome_backend.bench.lid_contact import LeftLids, left_lids, off_eyeball_mm
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import FlameParams, HeadModel
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.landmark_sets import LEFT_LOWER_LID, LEFT_UPPER_LID
from rome_backend.open_head.lid_motion import ENTRIES, LEFT_EYE, LidMotion, eye_correctives

UPPER, LOWER = 386, 374  # the middles of the left lids
TURNS = [(p, y) for p in (-25, -12, 6, 15, 22, 30) for y in (-30, -11, 0, 9, 30)]


def posed(head: HeadModel, pitch: float, yaw: float, **keys: float) -> np.ndarray:
    """Return the average head with both eyes turned (degrees, down and to +X) and keys on."""
    turn = Rotation.from_euler("YX", [yaw, pitch], degrees=True).as_rotvec()
    expression = np.zeros(len(head.expression_names))
    for name, value in keys.items():
        expression[head.expression_names.index(name)] = value
    shape = np.zeros(head.shape_dirs.shape[2])
    return posed_vertices(head, FlameParams(shape, expression, eyes=np.array([turn, turn])))


def elevation(head: HeadModel, vertices: np.ndarray, number: int) -> float:
    """Return how high (degrees) a vertex lies over the left eyeball's centre."""
    arm = vertices[number] - head.joint_regressor[LEFT_EYE] @ head.template
    return float(np.degrees(np.arctan2(arm[1], arm[2])))


@pytest.fixture(scope="module")
def lids(head: HeadModel) -> LeftLids:
    return left_lids(head)


@pytest.mark.parametrize(("pitch", "yaw"), TURNS)
def test_no_eyeball_pokes_through_a_lid(
    head: HeadModel, lids: LeftLids, pitch: float, yaw: float
) -> None:
    centre = (head.joint_regressor.astype(np.float64) @ head.template)[LEFT_EYE]
    nearest, farthest = off_eyeball_mm(lids, posed(head, pitch, yaw), centre)
    at_rest = off_eyeball_mm(lids, posed(head, 0, 0), centre)
    assert nearest > 0.03
    assert farthest < at_rest[1] + 0.8  # raised by the cornea below it, not standing off


def test_a_lowered_eye_takes_the_upper_lid_along(head: HeadModel) -> None:
    rest, down = posed(head, 0, 0), posed(head, 30, 0)
    upper = elevation(head, rest, UPPER) - elevation(head, down, UPPER)
    lower = elevation(head, rest, LOWER) - elevation(head, down, LOWER)
    assert 25 < upper < 33  # the white above the iris stays hidden
    assert 5 < lower < 15
    assert elevation(head, down, UPPER) > elevation(head, down, LOWER) + 10  # still open


def test_a_raised_eye_lifts_the_upper_lid_less(head: HeadModel) -> None:
    rest, up = posed(head, 0, 0), posed(head, -25, 0)
    assert 8 < elevation(head, up, UPPER) - elevation(head, rest, UPPER) < 20


def test_looking_aside_moves_the_lids_a_little(head: HeadModel) -> None:
    moved = posed(head, 0, 30) - posed(head, 0, 0)
    assert 0.0005 < moved[UPPER, 0] < 0.004
    assert abs(moved[UPPER, 1]) < 0.001


@pytest.mark.parametrize(("key", "pitch", "yaw"), [
    ("eyeLookDown", 25, 0), ("eyeLookUp", -25, 0), ("eyeLookIn", 0, -25), ("eyeLookOut", 0, 25),
])  # fmt: skip
def test_a_turned_bone_looks_like_its_key(
    head: HeadModel, key: str, pitch: float, yaw: float
) -> None:
    left = head.template[:, 0] > 0.012
    by_key = posed(head, 0, 0, **{f"{key}Left": 1.0})
    by_bone = posed(head, pitch, yaw)
    assert np.linalg.norm(by_key - by_bone, axis=1)[left].max() < 0.0012
    ball = head.regions["left_eyeball"]
    np.testing.assert_allclose(by_bone[ball], by_key[ball], atol=1e-6)


def test_key_and_bone_add_up(head: HeadModel, lids: LeftLids) -> None:
    """Half a key and 12.5 degrees of the bone are 25 degrees: eyeball and lids go together."""
    both = posed(head, 12.5, 0, eyeLookDownLeft=0.5, eyeLookDownRight=0.5)
    bone = posed(head, 25, 0)
    apart = [
        elevation(head, both, number) - elevation(head, bone, number) for number in (UPPER, LOWER)
    ]
    np.testing.assert_allclose(apart, 0, atol=2.0)
    front = np.flatnonzero(head.regions["left_eyeball"])[0]
    assert elevation(head, both, front) == pytest.approx(-25, abs=0.5)
    centre = (head.joint_regressor.astype(np.float64) @ head.template)[LEFT_EYE]
    assert off_eyeball_mm(lids, both, centre)[0] > -0.1


def test_each_eye_moves_its_own_lids(head: HeadModel) -> None:
    dirs = head.pose_dirs
    left, right = head.template[:, 0] > 0.008, head.template[:, 0] < -0.008
    assert np.abs(dirs[right][:, :, 18:27]).max() < 2e-4
    assert np.abs(dirs[left][:, :, 27:]).max() < 2e-4
    assert np.abs(dirs[left][:, :, 18:27]).max() > 1e-3


def test_both_sides_are_mirror_images(geometry: HeadGeometry, head: HeadModel) -> None:
    for pitch, yaw in ((20, 0), (-15, 25), (10, -20)):
        one, other = posed(head, pitch, yaw), posed(head, pitch, -yaw)
        np.testing.assert_allclose(other, one[geometry.mirror] * (-1, 1, 1), atol=3e-6)


def test_only_chosen_entries_and_no_eyeballs(head: HeadModel) -> None:
    by_entry = np.abs(head.pose_dirs[:, :, 18:]).max(axis=(0, 1)).reshape(2, 9)
    for side in by_entry:
        assert set(np.flatnonzero(side)) == set(ENTRIES)
    balls = head.regions["left_eyeball"] | head.regions["right_eyeball"]
    assert not head.pose_dirs[balls][:, :, 18:].any()


def made_up_looks(geometry: HeadGeometry) -> dict[str, np.ndarray]:
    """Return looks whose lids turn with the eyeball's centre as a hinge."""
    arms = geometry.vertices - geometry.joints[LEFT_EYE]
    chosen = np.zeros(len(arms))
    chosen[[*LEFT_UPPER_LID, *LEFT_LOWER_LID]] = 1
    found = {}
    for name, axis, degrees in (
        ("Up", "x", -20), ("Down", "x", 20), ("In", "y", -10), ("Out", "y", 10),
    ):  # fmt: skip
        turned = Rotation.from_euler(axis, degrees, degrees=True).apply(arms)
        found[f"eyeLook{name}Left"] = chosen[:, None] * (turned - arms)
    return found


def test_lids_travel_on_arcs(geometry: HeadGeometry) -> None:
    motion = LidMotion(geometry, made_up_looks(geometry))
    arm = geometry.vertices[UPPER] - geometry.joints[LEFT_EYE]
    wanted = Rotation.from_euler("x", 10, degrees=True).apply(arm)
    ahead = np.linalg.norm(arm + motion.moved(12.5, 0)[UPPER])
    assert ahead >= np.linalg.norm(arm) - 1e-4  # a chord would lie deeper
    np.testing.assert_allclose(arm + motion.moved(12.5, 0)[UPPER], wanted, atol=0.0012)


def test_without_looks_only_the_cornea_pushes(geometry: HeadGeometry) -> None:
    still = {name: np.zeros_like(move) for name, move in made_up_looks(geometry).items()}
    dirs = eye_correctives(geometry, still)
    assert dirs.shape == (len(geometry.vertices), 3, 18)
    reach = np.linalg.norm(geometry.vertices - geometry.joints[LEFT_EYE], axis=1)
    assert not dirs[reach > 0.03][:, :, :9].any()
    assert np.abs(dirs).max() < 0.02


@pytest.mark.parametrize("seed", range(4))
def test_other_people_keep_their_lids_outside(head: HeadModel, lids: LeftLids, seed: int) -> None:
    shape = np.random.default_rng(seed).normal(size=head.shape_dirs.shape[2])
    vertices = head.template + head.shape_dirs.astype(np.float64) @ shape
    centre = (head.joint_regressor.astype(np.float64) @ vertices)[LEFT_EYE]
    for pitch, yaw in ((30, 0), (15, 10), (-25, 0), (0, 30)):
        turn = Rotation.from_euler("YX", [yaw, pitch], degrees=True).as_rotvec()
        expression = np.zeros(len(head.expression_names))
        params = FlameParams(shape, expression, eyes=np.array([turn, turn]))
        assert off_eyeball_mm(lids, posed_vertices(head, params), centre)[0] > -0.1
