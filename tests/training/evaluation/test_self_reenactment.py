# SPDX-License-Identifier: Apache-2.0
"""The protocol: source and bins, baselines, networks in a frame's camera, and one real clip."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rome_backend.core.camera import fit_camera
from rome_backend.core.rotations import matrix_from_yaw_pitch_roll, rotation_matrices
from rome_backend.core.types import FaceFit, FlameParams, HeadModel
from training.__main__ import main
from training.config import TrainConfig
from training.evaluation.frames import RealFrame, above_chin, source_place, turn_degrees
from training.evaluation.renderers import Neural, WarpedSource, similarity
from training.evaluation.scores import Scores
from training.evaluation.self_reenactment import (
    ClipScores,
    FrameScores,
    payload,
    scored,
)
from training.make_trainee import make_trainee

SIDE = 64
NAMES = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "eyeBlinkLeft", "eyeBlinkRight")


def fit(yaw: float = 0.0, jaw: float = 0.0, expression: float = 0.0, **more: float) -> FaceFit:
    params = FlameParams(np.zeros(6), np.full(5, expression), jaw=np.array([jaw, 0, 0]))
    rotation = matrix_from_yaw_pitch_roll(yaw, more.get("pitch", 0.0), 0.0)
    middle = np.array([SIDE / 2, SIDE / 2])
    return FaceFit(params, 200.0, rotation, middle, yaw, more.get("pitch", 0.0), 0.0, 1.0)


def frame(number: int, yaw: float = 0.0, shift: float = 0.0) -> RealFrame:
    """A frame of colour waves with a disc for a person."""
    row, column = (np.indices((SIDE, SIDE)) + 0.5) / SIDE - 0.5
    column = column - shift / SIDE
    rgb = 127 + 100 * np.stack([np.sin(9 * column), np.cos(7 * row), np.sin(6 * row * column)], -1)
    matte = (np.hypot(row, column) < 0.35).astype(np.float32)
    turn = np.linspace(0, 2 * np.pi, 478, endpoint=False)
    landmarks = SIDE * (0.5 + 0.25 * np.stack([np.cos(turn), np.sin(turn)], -1)) + [shift, 0]
    own = fit(yaw)
    camera = fit_camera(own, SIDE, SIDE)
    above = np.ones((SIDE, SIDE), np.float32)
    return RealFrame(number, rgb.astype(np.uint8), matte, above, landmarks, camera, own)


def test_the_source_is_the_first_straight_and_neutral_frame() -> None:
    fits = [fit(30), fit(pitch=20), fit(jaw=0.3), fit(expression=2.0), fit(5), fit(1)]
    assert source_place(fits, NAMES) == 4
    assert source_place([fit(30), fit(-25), fit(26)], NAMES) == 1


def test_the_chin_s_line_turns_with_the_face() -> None:
    landmarks = np.zeros((478, 2))
    landmarks[10], landmarks[152] = (32, 10), (32, 50)
    above = above_chin(landmarks, SIDE)
    assert (above[:48] == 1).all() and (above[53:] == 0).all()
    sideways = above_chin(landmarks[:, ::-1], SIDE)
    assert np.array_equal(sideways, above.T)


def test_turns_are_angles_between_heads() -> None:
    assert turn_degrees(fit(10), fit(-15)) == pytest.approx(25)
    assert turn_degrees(fit(10), fit(10)) == pytest.approx(0, abs=1e-5)


def test_a_similarity_is_found_again() -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(50, 2))
    turn = 1.7 * rotation_matrices(np.array([0, 0, 0.4]))[:2, :2]
    assert np.allclose(similarity(points, points @ turn.T + [3, -2]), np.c_[turn, [3, -2]])


def test_the_warped_source_follows_a_shift() -> None:
    source, moved = frame(0), frame(1, shift=6)
    rgb, alpha = WarpedSource(source).draw(moved)
    inside = moved.matte > 0
    assert np.abs(rgb.astype(int) - moved.rgb)[inside].mean() < 2
    assert np.abs(alpha - moved.matte).mean() < 0.02
    still = np.abs(source.rgb.astype(int) - moved.rgb)[inside].mean()
    assert still > 10


def test_networks_draw_the_head_where_the_frame_has_it(
    tiny_config: TrainConfig, small_head: HeadModel
) -> None:
    trainee = make_trainee(tiny_config.sizes, small_head, seed=1)
    source = frame(0)
    network = Neural(trainee, source)
    rgb, alpha = network.draw(source)
    assert rgb.shape == (SIDE, SIDE, 3) and rgb.dtype == np.uint8
    assert alpha.shape == (SIDE, SIDE) and 0 <= alpha.min() <= alpha.max() <= 1
    turned, _ = network.draw(frame(1, yaw=40))
    assert np.abs(turned.astype(int) - rgb).max() > 0
    again, _ = Neural(trainee, source).draw(source)
    assert np.array_equal(again, rgb)
    other, _ = Neural(trainee, replace(source, rgb=255 - source.rgb)).draw(source)
    assert not np.array_equal(other, rgb)


class Copy:
    """Draws the frame itself, dimmed."""

    def __init__(self, light: float) -> None:
        self._light = light

    def draw(self, frame: RealFrame) -> tuple[np.ndarray, np.ndarray]:
        return (self._light * frame.rgb).astype(np.uint8), frame.matte


def test_the_source_is_not_scored_and_the_better_renderer_wins() -> None:
    frames = [frame(0), frame(10, 4), frame(20, 7), frame(30, 30)]
    clip = scored("a", frames, 1, 2, {"good": Copy(0.95), "bad": Copy(0.5)})
    assert [each.number for each in clip.frames] == [0, 20, 30] and clip.source == 10
    result = payload([clip], SIDE, 10)
    (row,) = result["clips"]
    assert (row["name"], row["frames"], row["lost"], row["source"]) == ("a", 3, 2, 10)
    assert row["good"]["psnr"] > row["bad"]["psnr"] + 5
    assert [result["by_yaw"][name]["frames"] for name in ("0-5", "5-10", "10-")] == [2, 0, 1]
    assert result["mean"]["good"] == row["good"]
    assert clip.sheet.shape == (3 * SIDE, 3 * SIDE, 3)
    json.dumps(result, allow_nan=False)


def test_the_mean_is_that_of_clips_not_of_frames() -> None:
    one = FrameScores(1, 0.0, {"r": Scores(10, 0.1, 0.5, 1.0)})
    two = FrameScores(1, 0.0, {"r": Scores(20, 0.3, 0.1, 1.0)})
    sheet = np.zeros((1, 1, 3), np.uint8)
    clips = [ClipScores("a", 0, (one, one, one), 0, sheet), ClipScores("b", 0, (two,), 0, sheet)]
    assert payload(clips, 256, 1)["mean"]["r"]["psnr"] == 15


def test_a_real_clip(
    tmp_path: Path,
    data_dir: Path,
    tracker_models: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    call: list[str] = ["evaluate", "--clips", str(data_dir / "videos"), "--only", "v06"]
    assert main([*call, "--every", "90", "--pictures", str(tmp_path), "--json", "--quiet"]) == 0
    result = json.loads(capfd.readouterr().out)
    (clip,) = result["clips"]
    assert clip["name"] == "v06_man_mouth" and clip["frames"] >= 1
    assert {"fid", "csim", "iqa"} <= set(result["metrics_left_out"])
    for name in ("textured_mesh", "warped_source", "neural"):
        scores = clip[name]
        assert scores["psnr"] > 15 and scores["ssim"] > 0.4, name
        assert scores["matte_mae"] < 0.3 and 0.3 < scores["sharpness_ratio"] < 2, name
    default, mesh = clip["neural"], clip["textured_mesh"]
    assert default["psnr"] > mesh["psnr"] + 0.5 and default["ssim"] > mesh["ssim"]
    assert default["matte_mae"] < mesh["matte_mae"]
    picture = Image.open(tmp_path / "v06_man_mouth.png")
    assert picture.width == 4 * 256


def test_nonsense_is_a_usage_error(data_dir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    call = ["evaluate", "--clips", str(data_dir / "videos"), "--every", "0", "--json"]
    assert main(call) == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "usage"
