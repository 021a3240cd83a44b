# SPDX-License-Identifier: Apache-2.0
"""Networks of measures: each where its file is, named with the reason where it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.assets.network_shapes_inception import inception
from rome_backend.assets.network_shapes_more import hyperiqa, vggface2_resnet50
from rome_backend.assets.store import AssetStore
from rome_backend.core.tensor_file import write_tensors
from training.data.instruments import JUDGE
from training.evaluation.judges import INCEPTION, RECOGNISER, Judges, installed_judges
from training.evaluation.likeness import Likeness, alike
from training.evaluation.realism import can_measure
from training.losses.identity import FaceRecogniser

SIDE = 96


def place(store: AssetStore, asset: str, shapes: dict[str, tuple[int, ...]]) -> None:
    tensors = {
        name: np.ones(shape, np.float32) if name.endswith("running_var") else
        np.zeros(shape, np.float32)
        for name, shape in shapes.items()
    }  # fmt: skip
    store.place(asset, f"{asset}.safetensors", lambda p: write_tensors(p, tensors, {}), "X", "Y")


def test_all_are_left_out_by_name_and_reason_of_an_empty_store(tmp_path: Path) -> None:
    judges = installed_judges(AssetStore(tmp_path))
    assert (judges.lpips, judges.inception, judges.likeness) == (None, None, None)
    found = judges.omissions()
    assert found["metrics_left_out"] == ["lpips", "fid", "csim", "iqa"]
    assert "alexnet" in found["metrics_left_out_because"]["lpips"]
    assert INCEPTION in found["metrics_left_out_because"]["fid"]
    assert RECOGNISER in found["metrics_left_out_because"]["csim"]
    assert JUDGE in found["metrics_left_out_because"]["iqa"]
    assert judges.iqa(np.zeros((SIDE, SIDE, 3))) is None


def test_installed_networks_are_loaded(tmp_path: Path) -> None:
    store = AssetStore(tmp_path)
    place(store, INCEPTION, inception())
    place(store, RECOGNISER, vggface2_resnet50())
    place(store, JUDGE, hyperiqa())
    judges = installed_judges(store)
    found = judges.iqa(np.zeros((SIDE, SIDE, 3)))
    assert found is not None and np.isfinite(found) and "iqa" not in judges.left_out
    assert judges.likeness is not None and "csim" not in judges.left_out
    assert (judges.inception is not None) == can_measure() == ("fid" not in judges.left_out)


def test_nothing_is_left_out_unsaid() -> None:
    assert Judges().omissions() == {"metrics_left_out": [], "metrics_left_out_because": {}}


@pytest.fixture(scope="module")
def likeness() -> Likeness:
    torch.manual_seed(0)
    return Likeness(FaceRecogniser())


def face(shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A picture of waves on black, and landmarks on a circle in it."""
    row, column = np.indices((SIDE, SIDE))
    inside = np.hypot(row - SIDE / 2, column - SIDE / 2 - shift) < SIDE / 3
    waves = [127 + 100 * np.sin(0.2 * (column - shift) + 0.1 * k * row) for k in range(3)]
    turn = np.linspace(0, 2 * np.pi, 478, endpoint=False)
    points = SIDE / 2 + 20 * np.stack([np.cos(turn), np.sin(turn), 0 * turn], -1)
    return np.stack(waves, -1) * inside[..., None], points + [shift, 0, 0]


def test_a_face_is_like_itself_wherever_it_stands(likeness: Likeness) -> None:
    here, there = (likeness.features(*face(shift)) for shift in (0.0, 12.0))
    picture, points = face()
    other = likeness.features(picture[::-1, :, ::-1].copy(), points)
    assert alike(here, here) == pytest.approx(1)
    assert alike(here, there) > 0.9999 > alike(here, other)
