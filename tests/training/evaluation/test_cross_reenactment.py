# SPDX-License-Identifier: Apache-2.0
"""Cross-reenactment: who drives whom, what is measured without a true picture, real clips."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from rome_backend.core.camera import fit_camera
from rome_backend.core.rotations import matrix_from_yaw_pitch_roll
from rome_backend.core.types import FaceFit, FlameParams, TrackedFace
from training.__main__ import main
from training.evaluation import cross_reenactment
from training.evaluation.cross_reenactment import (
    CrossScores,
    PairScores,
    cross_payload,
    evaluate_cross,
    evaluate_pair,
)
from training.evaluation.frames import RealFrame, TrackedClip
from training.evaluation.judges import Judges
from training.evaluation.realism import Realism

SIDE = 48


def fit(yaw: float, expression: float, shape: float = 0.0) -> FaceFit:
    params = FlameParams(np.full(4, shape), np.full(5, expression))
    rotation = matrix_from_yaw_pitch_roll(yaw, 0.0, 0.0)
    return FaceFit(params, 200.0, rotation, np.array([24.0, 24.0]), yaw, 0.0, 0.0, 1.0)


def real(number: int, yaw: float = 0.0, light: float = 1.0, shape: float = 0.0) -> RealFrame:
    row, column = (np.indices((SIDE, SIDE)) + 0.5) / SIDE - 0.5
    rgb = light * (127 + 100 * np.sin(40 * row)[..., None] * np.ones(3))
    matte = (np.hypot(row, column) < 0.4).astype(np.float32)
    own = fit(yaw, 0.1 * number, shape)
    above = np.ones((SIDE, SIDE), np.float32)
    camera = fit_camera(own, SIDE, SIDE)
    return RealFrame(number, rgb.astype(np.uint8), matte, above, np.zeros((478, 2)), camera, own)


@dataclass
class Seer:
    """A tracker that sees a face in bright pictures; its fit is what it is told."""

    found: FaceFit

    def track(self, rgb: np.ndarray) -> list[TrackedFace]:
        bright = rgb[SIDE // 2, SIDE // 2].mean() > 60
        return [TrackedFace(np.ones((478, 3), np.float32), 1.0)] if bright else []

    def fit(self, landmarks: np.ndarray) -> FaceFit:
        return self.found


class Drawn:
    """Draws the frame dimmed; remembers by which identity it was driven."""

    def __init__(self, light: float) -> None:
        self.light, self.shapes = light, list[float]()

    def draw(self, frame: RealFrame) -> tuple[np.ndarray, np.ndarray]:
        self.shapes.append(float(frame.fit.params.shape[0]))
        return (self.light * frame.rgb).astype(np.uint8), frame.matte


def subject(name: str, frames: list[RealFrame], shape: float) -> Any:
    clip = TrackedClip(tuple(frames), 0, 3)  # type: ignore[arg-type]
    avatar = SimpleNamespace(params=frames[0].fit.params)
    source = replace(frames[0], fit=fit(0, 0, shape))
    avatar.params = source.fit.params
    return SimpleNamespace(name=name, clip=clip, source=source, avatar=avatar)


@pytest.fixture(autouse=True)
def _frames_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_reenactment, "real_frames", lambda clip, tools, size: clip.frames)


def tools(found: FaceFit) -> Any:
    seer = Seer(found)
    return SimpleNamespace(tracker=seer, fitter=seer, matte=None)


def test_all_frames_of_the_driver_move_the_source_s_identity() -> None:
    good, dark = Drawn(1.0), Drawn(0.1)
    driver = subject("b", [real(0, 5, shape=9.0), real(2, 15, shape=9.0)], 9.0)
    pair = evaluate_pair(
        subject("a", [real(0)], 2.0), driver, tools(fit(10, 0.3)), {"good": good, "dark": dark},
        Judges(),
    )  # fmt: skip
    assert good.shapes == [2.0, 2.0]
    assert (pair.source, pair.driver, pair.lost) == ("a", "b", 3)
    first, second = pair.frames["good"]
    assert first.face_found == 1 and first.pose_error == pytest.approx(5)
    assert second.pose_error == pytest.approx(5) and first.csim is None
    assert first.expression_error == pytest.approx(0.3)
    assert second.expression_error == pytest.approx(0.1)
    assert first.sharpness_ratio == pytest.approx(1, abs=0.05)
    lost = pair.frames["dark"][0]
    assert lost.face_found == 0 and lost.pose_error is None and lost.sharpness_ratio < 0.5
    assert lost.quality is None and first.quality is not None and first.iqa is None
    assert pair.sheet.shape == (2 * SIDE, 4 * SIDE, 3)


class Likeness:
    """Features of a picture are its corners' and middle's brightness."""

    def features(self, picture: np.ndarray, landmarks: np.ndarray) -> torch.Tensor:
        return torch.tensor([picture[0, 0, 0], picture[24, 24, 0], picture[20, 24, 0]])


def test_likeness_is_to_the_source_and_realism_to_the_drivers() -> None:
    class Colour(torch.nn.Module):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return pictures.mean((2, 3))[:, :2]

    judges, realism = Judges(likeness=Likeness()), Realism(Colour())  # type: ignore[arg-type]
    driver = subject("b", [real(0), real(1, light=0.9), real(2, light=0.8)], 1.0)
    own = subject("a", [real(0)], 1.0)
    pair = evaluate_pair(own, driver, tools(fit(0, 0)), {"good": Drawn(1.0)}, judges, realism)
    found = [each.csim for each in pair.frames["good"]]
    assert found[0] == pytest.approx(1) and found[2] is not None and found[2] < found[0]
    pytest.importorskip("torchmetrics", reason="the extra 'train' is not installed")
    assert realism.distances()["good"] == pytest.approx(0, abs=1e-3)


def test_means_are_over_pairs_and_leave_out_what_is_not_there() -> None:
    sheet = np.zeros((1, 1, 3), np.uint8)
    seen, unseen = CrossScores(1.0, 1.0, 4.0, 0.1), CrossScores(0.5, 0.0)
    pairs = [
        PairScores("a", "b", {"r": (seen, seen, unseen)}, 0, sheet),
        PairScores("b", "a", {"r": (unseen,)}, 2, sheet),
    ]
    result = cross_payload(pairs, 256, 10)
    assert result["pairs"][0]["r"]["pose_error"] == 4 and result["pairs"][0]["frames"] == 3
    assert "pose_error" not in result["pairs"][1]["r"]
    assert result["mean"]["r"]["face_found"] == pytest.approx((2 / 3 + 0) / 2, abs=1e-4)
    assert result["mean"]["r"]["pose_error"] == 4
    json.dumps(result, allow_nan=False)


def test_each_drives_the_one_before_and_the_first_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def subject_of(path: Path, *rest: object) -> Any:
        made.append(path.stem)
        return subject(path.stem, [real(0)], 1.0)

    monkeypatch.setattr(cross_reenactment, "subject_of", subject_of)
    monkeypatch.setattr(cross_reenactment, "renderers_of", lambda *rest: {"r": Drawn(1.0)})
    seen: list[PairScores] = []
    paths = [Path(f"{name}.mp4") for name in "abc"]
    result = evaluate_cross(paths, tools(fit(0, 0)), SIDE, 1, seen=seen.append)
    found = [(pair["source"], pair["driver"]) for pair in result["pairs"]]
    assert found == [("a", "b"), ("b", "c"), ("c", "a")] and made == ["a", "b", "c"]
    assert len(seen) == 3 and result["metrics_left_out"] == []
    with pytest.raises(ValueError, match="two clips"):
        evaluate_cross(paths[:1], tools(fit(0, 0)), SIDE, 1)


def test_one_clip_alone_is_a_usage_error(data_dir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    call = ["evaluate", "--protocol", "cross", "--clips", str(data_dir / "videos")]
    assert main([*call, "--only", "v06", "--json"]) == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "usage"


def test_real_clips(
    tmp_path: Path, data_dir: Path, tracker_models: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.undo()
    call = ["evaluate", "--protocol", "cross", "--clips", str(data_dir / "videos")]
    more = ["--only", "v06,v01", "--every", "150", "--pictures", str(tmp_path)]
    assert main([*call, *more, "--json", "--quiet"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert len(result["pairs"]) == 2 and {"csim", "fid"} <= set(result["metrics_left_out"])
    mesh, moved = (result["mean"][name] for name in ("textured_mesh", "warped_source"))
    assert mesh["face_found"] == 1 and mesh["pose_error"] < 8
    assert mesh["expression_error"] < moved["expression_error"]
    picture = Image.open(tmp_path / "v01_man_greenscreen by v06_man_mouth.png")
    assert picture.width == 5 * 256
