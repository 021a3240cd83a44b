# SPDX-License-Identifier: Apache-2.0
"""What self-reenactment makes of its clips: networks of measures, other programs, means."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from rome_backend.core.camera import fit_camera
from rome_backend.core.types import FaceFit, FlameParams
from training.evaluation import self_reenactment
from training.evaluation.frames import RealFrame, TrackedClip
from training.evaluation.judges import Judges
from training.evaluation.other_pictures import OtherPictures
from training.evaluation.self_reenactment import (
    ClipScores,
    comparable,
    evaluate_self,
    frame_scores,
)

SIDE = 32


def frame(number: int, light: float = 1.0, size: float = 0.4) -> RealFrame:
    row, column = (np.indices((SIDE, SIDE)) + 0.5) / SIDE - 0.5
    rgb = light * (127 + 100 * np.sin(30 * row + number)[..., None] * np.ones(3))
    matte = (np.hypot(row, column) < size).astype(np.float32)
    fit = FaceFit(
        FlameParams(np.zeros(2), np.zeros(2)), 9.0, np.eye(3), np.zeros(2), 0.0, 0.0, 0.0, 1.0
    )
    ones = np.ones((SIDE, SIDE), np.float32)
    camera = fit_camera(fit, SIDE, SIDE)
    return RealFrame(
        number, rgb.astype(np.uint8), matte, ones, np.zeros((478, 2)), camera, fit
    )  # fmt: skip


class Likeness:
    """Features of a picture are three of its pixels."""

    def features(self, picture: np.ndarray, landmarks: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(picture[[10, 16, 20], 16, 0])


class Colour(torch.nn.Module):
    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return pictures.mean((2, 3))[:, :2]


class Copy:
    """Draws the frame itself, shifted."""

    def __init__(self, shift: int) -> None:
        self._shift = shift

    def draw(self, real: RealFrame) -> tuple[np.ndarray, np.ndarray]:
        return np.roll(real.rgb, self._shift, axis=0), real.matte


JUDGES = Judges(
    inception=Colour(),
    likeness=Likeness(),
    left_out={"lpips": "not there"},  # type: ignore[arg-type]
)


def test_networks_see_the_person_above_the_chin_only() -> None:
    real = frame(1)
    other = real.rgb.copy()
    other[real.matte == 0] = 255  # the ground behind the person does not count
    drawn = {"same": (other, real.matte), "moved": Copy(3).draw(real)}
    found = frame_scores(real, drawn, JUDGES)
    assert found["same"].csim == pytest.approx(1) and found["same"].psnr == 99
    assert found["moved"].csim is not None and found["moved"].csim < 0.999
    assert frame_scores(real, drawn, Judges())["same"].csim is None


def test_a_frame_with_hardly_a_person_is_not_compared() -> None:
    assert comparable(frame(0)) and not comparable(frame(0, size=0.03))


@pytest.fixture
def clips(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[RealFrame]]:
    """Two clips of three frames, the first of each its source; nobody is tracked."""
    made = {"a": [frame(n) for n in range(3)], "b": [frame(n, 0.5) for n in range(3)]}

    def subject_of(path: Path, *rest: Any) -> Any:
        numbers = [SimpleNamespace(number=each.number) for each in made[path.stem]]
        clip = TrackedClip(tuple(numbers), 0, 1)  # type: ignore[arg-type]
        return SimpleNamespace(name=path.stem, clip=clip)

    order = iter(made.values())
    monkeypatch.setattr(self_reenactment, "subject_of", subject_of)
    monkeypatch.setattr(self_reenactment, "real_frames", lambda *rest: next(order))
    renderers = {"copy": Copy(0), "moved": Copy(2)}
    monkeypatch.setattr(self_reenactment, "renderers_of", lambda *rest: dict(renderers))
    return made


TOOLS: Any = SimpleNamespace(matte=lambda rgb: np.ones(rgb.shape[:2], np.float32))


def test_the_result_is_of_all_clips_and_says_what_it_lacks(
    clips: dict[str, list[RealFrame]], tmp_path: Path
) -> None:
    seen: list[ClipScores] = []
    other = OtherPictures("mine", ("{}",), tmp_path)
    result = evaluate_self(
        [Path("a.mp4"), Path("b.mp4")], TOOLS, SIDE, 5, judges=JUDGES, seen=seen.append,
        others=[other], inputs=tmp_path / "inputs",
    )  # fmt: skip
    assert [clip.name for clip in seen] == ["a", "b"] and len(seen[0].frames) == 2
    mean = result["mean"]
    assert mean["copy"]["psnr"] == 99 > mean["moved"]["psnr"]
    assert mean["copy"]["csim"] == 1 > mean["moved"]["csim"] and "lpips" not in mean["copy"]
    assert result["metrics_left_out"] == ["lpips"]
    assert result["others_missing"] == {"mine": ["a", "b"]}
    assert len(list((tmp_path / "inputs" / "test" / "a").iterdir())) == 3
    assert result["clips"][0]["lost"] == 1 and result["every"] == 5
    json.dumps(result, allow_nan=False)


def test_the_distance_of_all_pictures_is_in_the_mean_only(
    clips: dict[str, list[RealFrame]],
) -> None:
    pytest.importorskip("torchmetrics", reason="the extra 'train' is not installed")
    result = evaluate_self([Path("a.mp4"), Path("b.mp4")], TOOLS, SIDE, 5, judges=JUDGES)
    assert result["mean"]["copy"]["fid"] == pytest.approx(0, abs=1e-3)
    assert result["mean"]["moved"]["fid"] > -1e-3
    assert all("fid" not in clip["copy"] for clip in result["clips"])


def test_another_program_stands_beside_ours_where_it_has_a_clip(
    clips: dict[str, list[RealFrame]], tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    for place, real in enumerate(clips["a"]):
        Image.fromarray(real.rgb).save(tmp_path / "a" / f"{place}.png")
    other = OtherPictures("mine", ("{}",), tmp_path)
    result = evaluate_self([Path("a.mp4"), Path("b.mp4")], TOOLS, SIDE, 5, others=[other])
    assert result["others_missing"] == {"mine": ["b"]}
    assert "mine" in result["clips"][0] and "mine" not in result["clips"][1]
    assert result["mean"]["mine"] == result["clips"][0]["mine"]
    assert result["mean"]["mine"]["ssim"] > 0.5 and result["mean"]["mine"]["matte_mae"] > 0.5
