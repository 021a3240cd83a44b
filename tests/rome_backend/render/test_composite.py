# SPDX-License-Identifier: Apache-2.0
"""The mask's opening and the plain ground against the official numbers, and their properties."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from rome_backend.render.composite import on_plain_ground, opened_mask


def bits(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.unpackbits(array, axis=-1).astype(bool))


@pytest.mark.parametrize(("name", "legacy"), [("legacy", True), ("opening9x9", False)])
def test_opening_parity(parity_dir: Path, name: str, legacy: bool) -> None:
    data = np.load(parity_dir / "mask.npz")
    found = opened_mask(bits(data["mask_bits"]), legacy)
    assert torch.equal(found, bits(data[f"{name}_bits"]))


def test_composite_parity(parity_dir: Path) -> None:
    data = np.load(parity_dir / "mask.npz")
    picture, mask = torch.from_numpy(data["comp_img"]), torch.from_numpy(data["comp_soft"])
    found = on_plain_ground(picture[None], mask[None, None], legacy=True)[0]
    assert (found - torch.from_numpy(data["comp_out"])).abs().max() <= 1e-6


@pytest.mark.parametrize("legacy", [False, True])
def test_opening_agrees_with_scipy_away_from_the_edge(legacy: bool) -> None:
    rng = np.random.default_rng(0)
    mask = ndimage.gaussian_filter(rng.normal(size=(64, 64)), 4) > 0
    expected = ndimage.binary_opening(mask, np.ones((9, 1 if legacy else 9)))
    found = opened_mask(torch.from_numpy(mask), legacy).numpy()
    inner = (slice(10, -10), slice(10, -10))
    assert np.array_equal(found[inner], expected[inner])
    assert expected[inner].any() and not np.array_equal(expected, mask)


def test_opening_keeps_heads_and_removes_threads() -> None:
    mask = torch.zeros(40, 40, dtype=torch.bool)
    mask[:20, 10:30] = True
    mask[30:33, :] = True
    mask[:, 2] = True
    assert opened_mask(mask)[:20, 10:30].all() and opened_mask(mask).sum() == 400
    assert opened_mask(mask, legacy=True)[:, 2].all()
    assert torch.equal(opened_mask(opened_mask(mask)), opened_mask(mask))


def test_the_threshold_itself_is_ground() -> None:
    picture = torch.full((1, 3, 12, 12), 0.2)
    at = on_plain_ground(picture, torch.full((1, 1, 12, 12), 0.6), ground=0.5)
    above = on_plain_ground(picture, torch.full((1, 1, 12, 12), 0.61), ground=0.5)
    assert at.eq(0.5).all() and torch.equal(above, picture)
