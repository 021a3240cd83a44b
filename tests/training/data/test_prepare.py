# SPDX-License-Identifier: Apache-2.0
"""Videos to shards: what is taken and left out, masks and parameters that fit, kills, bad files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from rome_backend.avatar.create import Tools, load_tools
from rome_backend.avatar.driven_pose import DrivenPose, canonical_head, project_head
from rome_backend.core.camera import fit_camera, project
from rome_backend.core.errors import UsageError
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.rotations import matrix_from_yaw_pitch_roll
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import FaceFit, FlameParams, HeadModel, TrackedFace
from training.__main__ import main
from training.batch import collate
from training.data import prepare as preparing
from training.data.clips import (
    ClipRules,
    chosen_pairs,
    clip_samples,
    sharpness,
    usable,
    weak_camera,
)
from training.data.prepare import prepare, video_files
from training.data.shards import MANIFEST, ShardSet
from training.evaluation.frames import TrackedFrame

SIDE = 64
RULES = ClipRules(every=45, pairs=2)


@pytest.fixture(scope="module")
def tools(tracker_models: Path) -> Tools:
    return load_tools()


def fit(yaw: float, count: int = 5, distance: float = np.inf) -> FaceFit:
    params = FlameParams(np.zeros(6), np.zeros(count))
    rotation = matrix_from_yaw_pitch_roll(yaw, 5.0, 3.0)
    return FaceFit(params, 300.0, rotation, np.array([70.0, 60.0]), yaw, 5, 3, 1.0, distance)


@pytest.mark.parametrize(("distance", "px"), [(np.inf, 0.01), (1.0, 2.0)])
def test_the_system_s_camera_shows_the_landmarks_where_the_fit_has_them(
    small_head: HeadModel, distance: float, px: float
) -> None:
    side, own = 128, fit(20, distance=distance)
    camera, rotation = weak_camera(small_head, own, side)
    params = (own.params.shape, own.params.expression, np.zeros(3), rotation, camera)
    pose = DrivenPose(*(torch.as_tensor(each, dtype=torch.float32)[None] for each in params))
    canonical = canonical_head(small_head, pose)
    found = project_head(canonical.vertices, canonical.root, pose)[0].numpy()
    places = landmark_points(found, small_head.faces, small_head.landmarks)[:, :2]
    vertices = posed_vertices(small_head, own.params)
    points = landmark_points(vertices, small_head.faces, small_head.landmarks)
    wanted = project(fit_camera(own, side, side), points)[:, :2]
    assert np.abs((places + 1) / 2 * side - wanted).max() < px


def test_pairs_turn_enough_and_start_from_the_more_frontal_frame() -> None:
    fits = [fit(yaw) for yaw in (0, 1, 8, -20, 9)]
    pairs = chosen_pairs(fits, ClipRules(pairs=4, least_turn=5.0), seed=1)
    assert len(pairs) == len(set(pairs)) == 4
    for source, target in pairs:
        assert abs(fits[source].yaw) <= abs(fits[target].yaw)
        assert abs(fits[source].yaw - fits[target].yaw) >= 4.9
    turns = [abs(fits[a].yaw - fits[b].yaw) for a, b in pairs]
    assert min(turns) < 10 < max(turns)
    assert pairs == chosen_pairs(fits, ClipRules(pairs=4, least_turn=5.0), seed=1)
    assert chosen_pairs(fits, ClipRules(least_turn=60), seed=1) == []


def _blocks(seed: int) -> np.ndarray:
    """A picture of squares of 8 px."""
    colours = np.random.default_rng(seed).integers(60, 200, (16, 16, 3), dtype=np.uint8)
    return cv2.resize(colours, (128, 128), interpolation=cv2.INTER_NEAREST)


def _frame(rgb: np.ndarray, yaw: float = 0.0) -> TrackedFrame:
    corners = np.random.default_rng(0).uniform(20, 100, (478, 3)).astype(np.float32)
    return TrackedFrame(0, rgb, TrackedFace(corners, 1.0), fit(yaw))


def test_small_blurred_and_turned_faces_are_left_out() -> None:
    noise = _blocks(0)
    rules, side = ClipRules(least_face=0.5), 128
    assert usable(_frame(noise), rules, side)
    assert not usable(_frame(noise), rules, 4 * side)
    assert not usable(_frame(noise, yaw=75), rules, side)
    assert not usable(_frame(cv2.GaussianBlur(noise, (0, 0), 9)), rules, side)
    assert not usable(_frame(np.full_like(noise, 90)), rules, side)


def test_sharpness_falls_with_blur_and_not_with_contrast() -> None:
    noise = _blocks(1)
    face = _frame(noise).face.landmarks
    blurred = [cv2.GaussianBlur(noise, (0, 0), blur) for blur in (0.3, 1, 2)]
    values = [sharpness(picture, face) for picture in blurred]
    assert values == sorted(values, reverse=True) and values[0] > 2 * values[-1]
    pale = (128 + 0.5 * (noise.astype(float) - 128)).astype(np.uint8)
    assert sharpness(pale, face) == pytest.approx(sharpness(noise, face), rel=0.05)
    assert sharpness(noise, face + 500) == 0


def test_rules_that_take_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        ClipRules(every=0)


def test_videos_are_found_in_folders_of_people(tmp_path: Path) -> None:
    for name in ("id2/a/00001.mp4", "id1/b/00002.MP4", "id1/b/note.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    names = [path.relative_to(tmp_path).as_posix() for path in video_files(tmp_path)]
    assert names == ["id1/b/00002.MP4", "id2/a/00001.mp4"]
    with pytest.raises(UsageError) as caught:
        video_files(tmp_path / "id1" / "nothing")
    assert caught.value.code == "no_clips"


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    (folder / "a").mkdir()
    (folder / "a" / "bad.mp4").write_bytes(b"no video at all")
    (folder / "b.mp4").symlink_to(data_dir / "videos" / "v06_man_mouth.mp4")
    return folder


def test_samples_of_a_clip_fit_its_pictures(tools: Tools, videos: Path) -> None:
    samples = clip_samples(videos / "b.mp4", tools, RULES, SIDE, 0, 7)
    assert [sample.number for sample in samples] == [7, 8]
    for sample in samples:
        hair, whole = sample.hair > 0, sample.whole > 0
        assert (whole | ~hair).all() and 0.1 < hair.mean() < whole.mean() < 0.8
        places = ((sample.landmarks + 1) / 2 * SIDE).astype(int)
        assert hair[places[:, 1], places[:, 0]].mean() > 0.85
        pose = collate([sample]).pose
        canonical = canonical_head(tools.head, pose)
        found = project_head(canonical.vertices, canonical.root, pose)[0].numpy()
        face = found[tools.head.regions["face"]]
        inside = ((face[:, :2] + 1) / 2 * SIDE).astype(int).clip(0, SIDE - 1)
        assert hair[inside[:, 1], inside[:, 0]].mean() > 0.9
        assert sample.source_matte[SIDE // 2, SIDE // 2] == 255


class Killed(BaseException):
    """Nothing catches it, like a signal."""


def test_a_bad_video_is_skipped_and_a_killed_run_ends_with_the_same_shards(
    tools: Tools, videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    made: list[str] = []
    sample = clip_samples(videos / "b.mp4", tools, RULES, SIDE, 0, 0)[0]

    def quick(path: Path, *more: object) -> list:
        made.append(path.name)
        if path.name == "bad.mp4":
            return clip_samples(path, *more)  # type: ignore[arg-type]
        return [replace(sample, number=int(str(more[-1])))]

    def dying(path: Path, *more: object) -> list:
        if path.name == "b.mp4":
            raise Killed
        return quick(path, *more)

    monkeypatch.setattr(preparing, "clip_samples", dying)
    with pytest.raises(Killed):
        prepare(videos, broken, tools, RULES, SIDE)
    monkeypatch.setattr(preparing, "clip_samples", quick)
    made.clear()
    prepare(videos, broken, tools, RULES, SIDE)
    assert made == ["b.mp4"]
    prepare(videos, whole, tools, RULES, SIDE)
    contents = [
        {path.name: path.read_bytes() for path in folder.iterdir()} for folder in (whole, broken)
    ]
    assert contents[0] == contents[1]
    entries = json.loads((whole / MANIFEST).read_text())["shards"]
    assert [(e["video"], e["samples"], e.get("skipped")) for e in entries] == [
        ("a/bad.mp4", 0, "clip_unreadable"),
        ("b.mp4", 1, None),
    ]
    shards = ShardSet(whole)
    assert len(shards) == 1 and shards.sample(0).number == 10_000


def test_nonsense_is_a_usage_error(
    tmp_path: Path, videos: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for wrong in (["--every", "0"], ["--side", "33"], ["--only", "x"]):
        assert main(["prepare", str(videos), "-o", str(tmp_path / "new"), *wrong, "--json"]) == 2
        error = json.loads(capfd.readouterr().out)["error"]["code"]
        assert error == ("no_clips" if wrong[0] == "--only" else "usage")
    assert not (tmp_path / "new").exists()
