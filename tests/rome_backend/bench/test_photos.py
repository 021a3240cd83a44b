# SPDX-License-Identifier: Apache-2.0
"""Tests of measuring heads: medians, limits, and the reprojection error of a rig.

Knows no photo; tests/rome_backend/test_whole_path.py measures a real one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rome_backend.avatar.create import CreateOptions, CreateResult
from rome_backend.bench import create as bench_create_module
from rome_backend.bench import photos as bench
from rome_backend.bench.dataset import DataPhoto
from rome_backend.bench.photos import (
    PhotoScores,
    bench_photos,
    exported_reprojection,
    medians,
    missed_limits,
    posed_rig,
)
from rome_backend.core.camera import project
from rome_backend.core.errors import PhotoRefused
from rome_backend.core.landmarks import LANDMARKS_105, landmark_points
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import Avatar, HeadModel, OffsetBasis
from rome_backend.export.rig_arrays import rig_arrays
from rome_backend.texture.seams import seam_steps


def score(
    error: float = 1.0, iou: float = 0.95, empty: int = 0, step: float = 1.0, long: bool = False
) -> PhotoScores:
    seconds = {"a": 1.0, "b": 2.0}
    return PhotoScores("x.png", "A", error, iou, empty, seconds, (), 0.0, step, step, long)


@pytest.fixture
def observed(small_avatar: Avatar, small_head: HeadModel) -> Avatar:
    """The small avatar, whose tracker saw exactly where its landmarks are."""
    vertices = posed_vertices(small_head, small_avatar.params, small_avatar.offsets)
    points = landmark_points(vertices, small_head.faces, small_head.landmarks)
    seen = np.zeros((478, 3), np.float32)
    seen[small_head.landmarks.indices] = project(small_avatar.camera, points)
    return replace(small_avatar, source_landmarks=seen)


def test_a_perfect_fit_has_no_error(
    observed: Avatar, small_head: HeadModel, small_basis: OffsetBasis
) -> None:
    assert exported_reprojection(small_head, small_basis, observed) < 0.01


def test_the_error_is_in_percent_of_the_eyes_distance(
    observed: Avatar, small_head: HeadModel, small_basis: OffsetBasis
) -> None:
    seen = observed.source_landmarks.copy()
    eyes = np.linalg.norm(seen[263, :2] - seen[33, :2])
    seen[list(LANDMARKS_105), 1] += 0.1 * eyes
    moved = replace(observed, source_landmarks=seen)
    assert exported_reprojection(small_head, small_basis, moved) == pytest.approx(10, abs=0.05)


def test_wrong_parameters_are_an_error(
    observed: Avatar, small_head: HeadModel, small_basis: OffsetBasis
) -> None:
    closed = replace(observed, params=replace(observed.params, jaw=np.array([0.6, 0.0, 0.0])))
    assert exported_reprojection(small_head, small_basis, closed) > 1


def test_the_rig_is_posed_as_the_library_poses(
    small_avatar: Avatar, small_head: HeadModel, small_basis: OffsetBasis
) -> None:
    rig = rig_arrays(small_head, small_basis, small_avatar)
    direct = posed_vertices(small_head, small_avatar.params, small_avatar.offsets)
    np.testing.assert_allclose(posed_rig(rig, small_head, small_avatar), direct, atol=1e-5)


def test_medians() -> None:
    middle = medians([score(1.0, 0.8), score(2.0, 0.9, 3), score(9.0, 0.95)])
    assert middle == {
        "reprojection_percent_iod": 2.0, "silhouette_iou": 0.9, "empty_texels": 0,
        "seam_step": 1.0, "seconds_total": 3.0,
    }  # fmt: skip
    assert medians([]) == {}


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (score(error=3.1), "reprojection"),
        (score(iou=0.92), "IoU"),
        (score(empty=1), "empty"),
        (score(step=2.1), "seam"),
    ],
)
def test_each_missed_limit_is_said(bad: PhotoScores, word: str) -> None:
    payload = {"photos": [bench._payload(bad)], "refused": [], "median": medians([bad])}
    (sentence,) = missed_limits(payload)
    assert word in sentence


def test_long_hair_has_its_own_limit() -> None:
    good, bad = score(iou=0.95), score(iou=0.87, long=True)
    photos = [bench._payload(one) for one in (good, good, bad)]
    payload = {"photos": photos, "refused": [], "median": medians([good, good, bad])}
    (sentence,) = missed_limits(payload)
    assert "long hair" in sentence
    photos[2]["long_hair"] = False
    assert missed_limits(payload) == []


def test_refusing_a_clear_photo_is_a_miss_and_no_photo_is_one() -> None:
    good = {"photos": [], "median": medians([score()])}
    refused = [{"name": "a.png", "tier": "A"}, {"name": "c.png", "tier": "C"}]
    assert missed_limits({**good, "refused": refused}) == ["a.png was refused"]
    assert missed_limits({"photos": [], "refused": [], "median": {}})


def test_refused_photos_are_listed_apart(
    observed: Avatar, small_head: HeadModel, small_basis: OffsetBasis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def make(photos: list[Path], options: CreateOptions, tools: Any) -> CreateResult:
        if photos[0].stem == "cat":
            raise PhotoRefused("no_face", "No face.", "Another.")
        return CreateResult(observed, 1, (), {"track": 0.5}, 0, 0.9)

    tools = SimpleNamespace(head=small_head, basis=small_basis)
    monkeypatch.setattr(bench, "load_tools", lambda head: tools)
    monkeypatch.setattr(bench, "create_avatar", make)
    photos = [DataPhoto(Path("cat.png"), "C"), DataPhoto(Path("me.png"), "A")]
    payload = bench_photos(photos, CreateOptions(), lambda stage, fraction: None)
    assert [photo["name"] for photo in payload["photos"]] == ["me.png"]
    assert payload["refused"][0]["error"]["code"] == "no_face"
    assert payload["median"]["silhouette_iou"] == 0.9
    steps = seam_steps(small_head, observed.albedo)
    assert payload["photos"][0]["seam_step"] == pytest.approx(steps.max(), abs=1e-3)


def test_the_speed_bench_leaves_the_first_round_out(
    small_avatar: Avatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([100.0, 1.0, 3.0, 2.0])

    def make(photos: list[Path], options: CreateOptions, tools: Any = None) -> CreateResult:
        return CreateResult(small_avatar, 1, (), {"track": next(seconds)}, 0, 0.9)

    monkeypatch.setattr(bench_create_module, "create_avatar", make)
    monkeypatch.setattr(bench_create_module, "load_tools", lambda head: None)
    payload = bench_create_module.bench_create(
        Path("x.png"), CreateOptions(), 3, lambda stage, fraction: None
    )
    assert (payload["seconds_first"], payload["seconds_warm_median"]) == (100.0, 2.0)
    assert payload["seconds_warm"] == {"track": 2.0}
