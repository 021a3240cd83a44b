# SPDX-License-Identifier: Apache-2.0
"""Scores of pictures: what damages a picture lowers them, what does not leaves them alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from rome_backend.models.quality_network import SIDE, QualityNetwork
from training.data.quality import (
    ClassicalJudge,
    NetworkJudge,
    blockiness,
    face_picture,
    lost,
    sharpness,
)


def blocks(seed: int, size: int = 128) -> np.ndarray:
    """A picture of patches of 10 px, slightly soft: no grid of 8."""
    colours = np.random.default_rng(seed).integers(60, 200, (13, 13, 3), dtype=np.uint8)
    large = cv2.resize(colours, (130, 130), interpolation=cv2.INTER_NEAREST)[:size, :size]
    return cv2.GaussianBlur(large, (0, 0), 0.6)


def compressed(picture: np.ndarray, quality: int) -> np.ndarray:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def test_sharpness_falls_with_blur_and_not_with_contrast() -> None:
    face = blocks(1)
    values = [sharpness(cv2.GaussianBlur(face, (0, 0), blur)) for blur in (0.3, 1, 2)]
    assert values == sorted(values, reverse=True) and values[0] > 2 * values[-1]
    pale = (128 + 0.5 * (face.astype(float) - 128)).astype(np.uint8)
    assert sharpness(pale) == pytest.approx(sharpness(face), rel=0.05)
    assert sharpness(face[:0]) == sharpness(np.full_like(face, 90)) == 0


def test_compression_s_blocks_are_found_wherever_the_grid_begins() -> None:
    random = np.random.default_rng(2)
    ramp = np.linspace(60, 190, 128)[None, :, None] + random.normal(0, 4, (128, 128, 3))
    face = np.clip(ramp, 0, 255).astype(np.uint8)
    assert blockiness(face) == 0
    strong = [blockiness(compressed(face, quality)) for quality in (90, 30, 5)]
    assert strong[0] < 0.2 and strong == sorted(strong) and strong[2] > 0.4
    damaged = compressed(face, 5)
    assert blockiness(damaged[3:, 5:]) == pytest.approx(strong[2], abs=0.15)
    assert blockiness(damaged[:10, :10]) == 0  # too little to see a grid in


def test_black_and_burnt_pixels_are_lost() -> None:
    face = blocks(3)
    assert lost(face) == 0 and lost(face[:0]) == 0
    face[:32] = 255
    face[32:64] = 2
    assert lost(face) == 0.5
    face[:64] = (255, 128, 0)  # saturated, and told apart all the same
    assert lost(face) == 0


def test_the_classical_score_falls_with_every_damage() -> None:
    judge, face = ClassicalJudge(), blocks(4)
    whole = judge.score(face)
    burnt = np.clip(face.astype(int) + 180, 0, 255).astype(np.uint8)
    assert whole > judge.least
    assert judge.score(cv2.GaussianBlur(face, (0, 0), 6)) < judge.least
    assert judge.score(burnt) < 0.8 * whole
    assert judge.score(compressed(face, 3)) < 0.9 * whole
    dark = (0.05 * face).astype(np.uint8)
    assert judge.score(dark) < 0.5 * whole and judge.score(face[:0]) == 0


def test_a_face_s_picture_stops_at_the_frame() -> None:
    frame = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
    points = np.array([[-5, 3, 0], [12, 40, 0]], np.float32)
    assert np.array_equal(face_picture(frame, points), frame[3:20, 0:12])
    assert not face_picture(frame, points + 100).size
    assert not face_picture(frame, points - 100).size


class Brightness(QualityNetwork):
    """Says how bright each part is, and remembers its size."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        self.seen: tuple[int, ...] = ()

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        self.seen = tuple(picture.shape)
        return 100 * picture.mean((1, 2, 3))


def test_a_network_judges_corners_and_middle() -> None:
    network = Brightness()
    judge = NetworkJudge(network)
    assert judge.name == "hyperiqa" and judge.least > 0
    assert judge.score(np.full((50, 40, 3), 51, np.uint8)) == pytest.approx(20, abs=0.01)
    assert network.seen == (5, 3, SIDE, SIDE)
    corner = np.zeros((384, 512, 3), np.uint8)
    corner[-40:, -40:] = 255  # one of five parts sees it
    assert judge.score(corner) == pytest.approx(100 * 40 * 40 / SIDE**2 / 5, rel=0.01)
