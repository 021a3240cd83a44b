# SPDX-License-Identifier: Apache-2.0
"""Samples of recordings: what is left out, pairs, the camera, masks and parameters that fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.avatar.driven_pose import DrivenPose, canonical_head, project_head
from rome_backend.core.camera import fit_camera, project
from rome_backend.core.errors import PhotoRefused
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.rotations import matrix_from_yaw_pitch_roll
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import FaceFit, FlameParams, HeadModel, TrackedFace
from training.batch import collate
from training.data.clips import ClipRules, chosen_pairs, clip_samples, usable, weak_camera
from training.data.instruments import Instruments
from training.data.recordings import Frame, VideoFile
from training.data.shots import Look

SIDE = 64
RULES = ClipRules(every=1, pairs=2)


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


def look(yaw: float = 0.0, quality: float = 0.5, extent: float = 80.0) -> Look:
    points = np.linspace(20, 20 + extent, 478)[:, None] * np.ones(3)
    return Look(0, TrackedFace(points.astype(np.float32), 1.0), fit(yaw), quality)


def test_small_bad_and_turned_faces_are_left_out() -> None:
    rules, side, least = ClipRules(least_face=0.5), 128, 0.3
    assert usable(look(), rules, least, side)
    assert not usable(look(extent=60), rules, least, side)
    assert not usable(look(yaw=-75), rules, least, side)
    assert not usable(look(quality=0.29), rules, least, side)


def test_rules_that_take_nothing_are_refused() -> None:
    for wrong in ({"every": 0}, {"pairs": 0}, {"least_turn": -1.0}):
        with pytest.raises(ValueError, match="nothing"):
            ClipRules(**wrong)


def test_samples_of_a_clip_fit_its_pictures(instruments: Instruments, short_clip: Path) -> None:
    found = clip_samples(VideoFile(short_clip, "b"), instruments, RULES, SIDE, 0, 7)
    assert [sample.number for sample in found.samples] == [7, 8]
    assert found.facts["looked_at"] == found.facts["good"] == 5
    assert 3 < found.facts["turn"] < 12 and 0.2 < found.facts["mean_quality"] < 1
    head = instruments.tools.head
    for sample in found.samples:
        hair, whole = sample.hair > 0, sample.whole > 0
        assert (whole | ~hair).all() and 0.1 < hair.mean() < whole.mean() < 0.8
        places = ((sample.landmarks + 1) / 2 * SIDE).astype(int)
        assert hair[places[:, 1], places[:, 0]].mean() > 0.85
        pose = collate([sample]).pose
        canonical = canonical_head(head, pose)
        projected = project_head(canonical.vertices, canonical.root, pose)[0].numpy()
        face = projected[head.regions["face"]]
        inside = ((face[:, :2] + 1) / 2 * SIDE).astype(int).clip(0, SIDE - 1)
        assert hair[inside[:, 1], inside[:, 0]].mean() > 0.9
        assert sample.source_matte[SIDE // 2, SIDE // 2] == 255


@dataclass(frozen=True)
class WithMasks:
    """A recording whose frames come with a mask of a plain disc."""

    path: Path
    name: str = "masked"
    facts: dict = field(default_factory=dict)
    continuous: bool = True

    def frames(self) -> Iterator[Frame]:
        for frame in VideoFile(self.path, "x").frames():
            rows, columns = np.indices(frame.rgb.shape[:2])
            disc = np.hypot(rows - 240, columns - 240) < 236
            yield replace(frame, alpha=(255 * disc).astype(np.uint8))


def test_masks_that_come_with_frames_are_used(instruments: Instruments, short_clip: Path) -> None:
    rules = replace(RULES, pairs=1)
    (own,) = clip_samples(VideoFile(short_clip, "b"), instruments, rules, SIDE, 0, 0).samples
    (masked,) = clip_samples(WithMasks(short_clip), instruments, rules, SIDE, 0, 0).samples
    assert np.array_equal(own.target, masked.target)
    assert (masked.target_matte > 0).mean() > 1.1 * (own.target_matte > 0).mean()


def test_bad_pictures_and_still_heads_are_refused(
    instruments: Instruments, short_clip: Path
) -> None:
    video = VideoFile(short_clip, "b")
    rules = {
        "clip_unsharp": replace(RULES, least_quality=9.0),
        "clip_still": replace(RULES, least_turn=30.0),
    }
    for code, each in rules.items():
        with pytest.raises(PhotoRefused) as caught:
            clip_samples(video, instruments, each, SIDE, 0, 0)
        assert caught.value.code == code
