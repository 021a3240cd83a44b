# SPDX-License-Identifier: Apache-2.0
"""Tests of the expressions' bench: what it finds on the open head, and on a head made worse."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from rome_backend.bench import expressions
from rome_backend.bench.expressions import (
    asymmetry_mm,
    bench_expressions,
    mirror_name,
    missed_limits,
    outside_percent,
)
from rome_backend.bench.lid_contact import UPPER_LID, gaze_measures
from rome_backend.cli import main
from rome_backend.core.types import HeadModel


@pytest.fixture(scope="module")
def head(average_head: HeadModel) -> HeadModel:
    return average_head


@pytest.fixture(scope="module")
def payload(head: HeadModel) -> dict:
    return bench_expressions(head)


def key(payload: dict, name: str) -> dict:
    return next(entry for entry in payload["keys"] if entry["name"] == name)


def changed(head: HeadModel, name: str, vertices: list[int], move: tuple) -> HeadModel:
    dirs = head.expression_dirs.copy()
    dirs[vertices, :, head.expression_names.index(name)] += np.float32(move)
    return replace(head, expression_dirs=dirs)


def test_mirror_names() -> None:
    assert mirror_name("eyeBlinkLeft") == "eyeBlinkRight"
    assert mirror_name("jawRight") == "jawLeft"
    assert mirror_name("mouthPucker") == "mouthPucker"


def test_outside_counts_by_area() -> None:
    delta = np.zeros((3, 3))
    delta[:, 0] = 1.0
    inside = np.array([True, True, False])
    assert outside_percent(delta, inside, np.array([1.0, 2.0, 1.0])) == pytest.approx(25)
    assert outside_percent(0 * delta, inside, np.ones(3)) == 0


def test_asymmetry_of_a_pair() -> None:
    left = np.array([[0.001, 0.0, 0.0], [0.0, 0.0, 0.0]])
    right = np.array([[0.0, 0.0, 0.0], [-0.001, 0.0, 0.002]])
    assert asymmetry_mm(left, right, np.array([1, 0])) == pytest.approx(2)


def test_a_key_that_reaches_too_far_is_found(head: HeadModel, payload: dict) -> None:
    worse = changed(head, "eyeBlinkLeft", [152, 175, 199], (0, 0, 0.03))
    found = bench_expressions(worse)
    outside = [key(each, "eyeBlinkLeft")["outside_percent"] for each in (payload, found)]
    assert outside[0] < 2 < outside[1]
    assert key(found, "eyeBlinkLeft")["asymmetry_mm"] == pytest.approx(30, rel=0.01)
    said = " ".join(missed_limits(found))
    assert "eyeBlinkLeft moves" in said and "eyeBlinkRight is 30.0 mm" in said


def test_parted_lips_are_found(head: HeadModel) -> None:
    found = bench_expressions(changed(head, "mouthPucker", [14], (0, -0.004, 0)))
    assert 3 < key(found, "mouthPucker")["lip_gap_mm"] < 5
    assert any("mouthPucker parts the lips" in said for said in missed_limits(found))


def test_a_folded_face_is_counted(head: HeadModel, payload: dict) -> None:
    found = bench_expressions(changed(head, "browDownLeft", [10], (0.0, -0.05, 0.0)))
    before, after = (key(each, "browDownLeft")["folded_faces"] for each in (payload, found))
    assert before == 0 < after


def test_a_blink_that_stays_open_or_sinks_in_is_found(head: HeadModel, payload: dict) -> None:
    steps = payload["blink"]["steps"]
    assert [step["value"] for step in steps] == [0.0, 0.25, 0.5, 0.75, 1.0]
    dirs = head.expression_dirs.copy()
    dirs[:, :, head.expression_names.index("eyeBlinkLeft")] *= 0.5
    half = bench_expressions(replace(head, expression_dirs=dirs))["blink"]
    assert half["lid_gap_mm"] > 1
    skin = head.regions["face"]
    dirs[skin, 2, head.expression_names.index("eyeBlinkLeft")] -= 0.004
    sunk = bench_expressions(replace(head, expression_dirs=dirs))
    assert sunk["blink"]["steps"][-1]["nearest_mm"] < -2
    said = " ".join(missed_limits(sunk))
    assert "the eyeball pokes through" in said


def test_collapsed_poses_are_named(payload: dict) -> None:
    pose = payload["poses"][2] | {"flipped_faces": 3, "corner_stretch": 9.0, "thickness": 0.1}
    said = missed_limits(payload | {"poses": [pose]})
    assert sum(pose["pose"] in sentence for sentence in said) == 3


def test_the_command_prints_json_and_checks(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "expressions", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert len(found["keys"]) >= 51 and found["jaw_opening_mm"] > 30
    monkeypatch.setattr(expressions, "MOST_OUTSIDE_PERCENT", -1.0)
    assert main(["bench", "expressions", "--check"]) == 1
    said = capfd.readouterr()
    assert "missed: eyeBlinkLeft moves" in said.err and "jaw 25 open" in said.out


def test_lids_follow_the_eye_bones(payload: dict) -> None:
    down = payload["gaze"][0]
    assert (down["pitch"], down["yaw"]) == (30.0, 0.0)
    assert 25 < down["upper_lid"] < 33
    assert min(gaze["nearest_mm"] for gaze in payload["gaze"]) > 0
    assert payload["gaze"][2]["upper_lid"] < -8  # looking up


def test_lids_that_stay_behind_are_found(head: HeadModel, payload: dict) -> None:
    dirs = head.pose_dirs.copy()
    dirs[:, :, 18:] = 0
    stiff = gaze_measures(replace(head, pose_dirs=dirs))
    assert [gaze["upper_lid"] for gaze in stiff] == [0.0] * len(stiff)
    missed = missed_limits({**payload, "gaze": stiff})
    assert any("stays behind an eye turned 30 degrees down" in sentence for sentence in missed)
    dirs[UPPER_LID, 2, [21, 23]] = 0.02
    assert gaze_measures(replace(head, pose_dirs=dirs)) != stiff
