# SPDX-License-Identifier: Apache-2.0
"""A choice of device is kept or refused, and frames are drawn where their surfaces are.

Does not need a graphics card: a default device that cannot compute stands in for "elsewhere".
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rome_backend.avatar.create import CreateOptions, create_avatar
from rome_backend.core.errors import RomeError
from rome_backend.render.device import DEVICES, torch_device
from rome_backend.render.frame import render_frame
from rome_backend.render.scene import PlacedHead
from rome_backend.render.surface import textured_surface

EYE = np.eye(4)
PASSES = ("combined", "mask", "depth", "uv", "normal")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch):
    """A function that says whether PyTorch finds a CUDA device."""
    return lambda there: monkeypatch.setattr(torch.cuda, "is_available", lambda: there)


@pytest.mark.parametrize(("choice", "there", "kind"), [
    ("auto", True, "cuda"), ("auto", False, "cpu"), ("cpu", True, "cpu"), ("cuda", True, "cuda"),
])  # fmt: skip
def test_a_choice_is_kept(card, choice: str, there: bool, kind: str) -> None:
    card(there)
    assert torch_device(choice).type == kind


def test_cuda_is_never_replaced_in_silence(card, tmp_path) -> None:
    card(False)
    with pytest.raises(RomeError) as failed:
        torch_device("cuda")
    assert failed.value.code == "device_missing" and failed.value.hint
    with pytest.raises(RomeError) as failed:
        create_avatar([tmp_path / "none.png"], CreateOptions(device="cuda"))
    assert failed.value.code == "device_missing"


def test_an_unknown_choice_is_a_mistake() -> None:
    assert set(DEVICES) == {"auto", "cpu", "cuda"}
    with pytest.raises(ValueError, match="tpu"):
        torch_device("tpu")


def _frame(device: str):
    random = np.random.default_rng(3)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    uvs = random.random((2, 3, 2)).astype(np.float32)
    albedo = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    points = np.array([[-0.9, -0.8, 0], [0.9, -0.9, 0.1], [0.8, 0.9, 0], [-0.7, 0.9, 0.2]])
    surface = textured_surface(faces, uvs, albedo, device)
    heads = [PlacedHead(surface, points.astype(np.float32))]
    return render_frame(heads, EYE, EYE, 24, 20, PASSES)


def test_everything_is_drawn_where_the_surface_is() -> None:
    """A tensor made without saying where would land on the default device, which cannot mix."""
    wanted = _frame("cpu")
    with torch.device("meta"):
        found = _frame("cpu")
    for name in PASSES:
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_frame_from_the_graphics_card_is_the_same() -> None:
    wanted, found = _frame("cpu"), _frame("cuda")
    for name in PASSES:
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), atol=2e-3)
