# SPDX-License-Identifier: Apache-2.0
"""What a crop shows: a network's classes joined as released; regions inside the matte."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from rome_backend.core.types import FaceFit, FlameParams, HeadCrop, HeadModel
from rome_backend.models.face_parser import CLASSES, FaceParser
from training.data.parsing import HAIR_AND_FACE, WHOLE, NetworkParser, RegionParser

# rome-spec section 4: classes by name, in the order of CelebAMask-HQ.
FACE, EARS, NECK, CLOTH, HAIR = {*range(1, 7), *range(10, 14)}, {7, 8, 9}, {14, 15}, {16}, {17, 18}
FIT = FaceFit(FlameParams(np.zeros(6), np.zeros(5)), 300.0, np.eye(3), np.full(2, 60.0), 0, 0, 0, 1)


class Painted(FaceParser):
    """Finds the class that a pixel's red says, and remembers what it saw."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        self.seen = torch.zeros(0)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        self.seen = picture
        number = (255 * (picture[:, :1] * 0.229 + 0.485) / 10).round()
        places = torch.arange(CLASSES)[None, :, None, None]
        return -(number - places).abs().float()


@pytest.fixture
def crop() -> Callable[[np.ndarray], HeadCrop]:
    def make(red: np.ndarray) -> HeadCrop:
        side = len(red)
        rgb = np.dstack([red, np.full_like(red, 255), np.zeros_like(red)]).astype(np.uint8)
        valid = np.ones((side, side), bool)
        valid[:, -8:] = False
        matte = np.ones((side, side), np.float32)
        return HeadCrop(rgb, matte, valid, np.eye(2, 3), np.zeros((478, 3), np.float32))

    return make


def test_classes_are_joined_as_released() -> None:
    assert set(HAIR_AND_FACE) == FACE | EARS | HAIR
    assert set(WHOLE) == FACE | EARS | HAIR | NECK | CLOTH
    assert set(range(CLASSES)) - set(WHOLE) == {0}


def test_a_network_s_classes_become_masks(
    crop: Callable[[np.ndarray], HeadCrop], small_head: HeadModel
) -> None:
    side = 128
    red = np.zeros((side, side), np.uint8)
    for row, number in enumerate((0, 1, 8, 15, 16, 17, 18, 5)):
        red[16 * row : 16 * (row + 1)] = 10 * number
    network = Painted()
    parsed = NetworkParser(network).parse(small_head, FIT, crop(red))
    assert network.seen.shape == (1, 3, 512, 512)
    assert float(network.seen[0, 1, 5, 5]) == pytest.approx((1 - 0.456) / 0.224, abs=1e-5)
    middles = np.arange(8) * 16 + 8
    assert parsed.hair[middles, 40].tolist() == [0, 1, 1, 0, 0, 1, 1, 1]
    assert parsed.whole[middles, 40].tolist() == [0, 1, 1, 1, 1, 1, 1, 1]
    assert not parsed.hair[:, -8:].any() and not parsed.whole[:, -8:].any()
    assert (parsed.whole >= parsed.hair).all()


def test_the_real_network_s_shape_fits(
    crop: Callable[[np.ndarray], HeadCrop], small_head: HeadModel
) -> None:
    torch.manual_seed(0)
    parser = NetworkParser(FaceParser().eval())
    parsed = parser.parse(small_head, FIT, crop(np.full((48, 48), 90, np.uint8)))
    assert parsed.hair.shape == parsed.whole.shape == (48, 48)
    assert parsed.hair.dtype == np.float32 and parser.name == "bisenet"


def test_without_a_network_the_person_is_the_matte(
    crop: Callable[[np.ndarray], HeadCrop],
    small_head: HeadModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from training.data import parsing

    hair = np.zeros((64, 64), bool)
    hair[10:20] = True
    monkeypatch.setattr(parsing, "hair_and_face", lambda head, fit, crop: hair)
    shown = crop(np.zeros((64, 64), np.uint8))
    parsed = RegionParser().parse(small_head, FIT, shown)
    assert np.array_equal(parsed.hair, hair.astype(np.float32))
    assert np.array_equal(parsed.whole, shown.matte * shown.valid)
