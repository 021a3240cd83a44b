# SPDX-License-Identifier: Apache-2.0
"""FID against the distance of two normal distributions written out, and its ends."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import nn

from training.evaluation.realism import Realism

pytest.importorskip("torchmetrics", reason="the extra 'train' is not installed")
COUNT = 30


class Small(nn.Module):
    """Five features of a picture: its mean colours and two of their contrasts."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        means = pictures.mean((2, 3))
        return torch.cat([means, pictures.std((2, 3))[:, :2]], 1)


def pictures(seed: int, light: float) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    colours = random.normal(light, 20, (COUNT, 1, 1, 3))
    return list(np.clip(colours + random.normal(0, 15, (COUNT, 8, 8, 3)), 0, 255))


def gathered(real: list[np.ndarray], **drawn: list[np.ndarray]) -> Realism:
    made = Realism(Small())
    for picture in real:
        made.real(picture)
    for name, rows in drawn.items():
        for picture in rows:
            made.drawn(name, picture)
    return made


def by_hand(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of the features."""
    rows = [
        Small()(torch.from_numpy(np.stack(each) / 255).permute(0, 3, 1, 2)).numpy()
        for each in (first, second)
    ]
    means, spreads = [each.mean(0) for each in rows], [np.cov(each.T) for each in rows]
    root = np.real(sqrtm(spreads[0] @ spreads[1]))
    return float(((means[0] - means[1]) ** 2).sum() + np.trace(sum(spreads) - 2 * root))


def test_it_is_the_distance_of_two_normal_distributions() -> None:
    real, found = pictures(0, 120), pictures(1, 150)
    distance = gathered(real, ours=found).distances()["ours"]
    assert distance == pytest.approx(by_hand(real, found), abs=1e-4) and distance > 0.005


def test_the_same_pictures_are_not_apart_and_stranger_ones_are_further() -> None:
    real = pictures(0, 120)
    found = gathered(real, same=real, near=pictures(1, 125), far=pictures(2, 190)).distances()
    assert found["same"] == pytest.approx(0, abs=1e-3)
    assert found["same"] < found["near"] < found["far"]


def test_a_method_with_one_picture_has_no_distance() -> None:
    real = pictures(0, 120)
    assert set(gathered(real, one=real[:1], two=real[:2]).distances()) == {"two"}
    assert gathered(real[:1], two=real[:2]).distances() == {}
