# SPDX-License-Identifier: Apache-2.0
"""Layers as pictures and back, and samples made more: nothing is lost, all parts change alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from rome_backend.avatar.photo_layers import GUIDES, PhotoLayers
from training.augment import augmented
from training.batch import Batch, Sample, collate
from training.layers import packed_layers, unpacked_layers

H = 16


def some_layers(seed: int) -> PhotoLayers:
    draw = torch.Generator().manual_seed(seed)
    return PhotoLayers(*(torch.rand(1, n, H, H, generator=draw) for n in (4, 4, GUIDES)))


@pytest.fixture
def batch(make_sample: Callable[[int], Sample]) -> Batch:
    return collate([replace(make_sample(n), layers=packed_layers(some_layers(n))) for n in (1, 2)])


def draws(seed: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed + place) for place in range(2)]


def test_what_is_packed_comes_back(batch: Batch) -> None:
    assert batch.layers is not None
    found = unpacked_layers(batch.layers)
    for place, number in enumerate((1, 2)):
        for name, wanted in vars(some_layers(number)).items():
            assert (getattr(found, name)[place] - wanted[0]).abs().max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("shape", [(1, 3, 4 * H, H), (1, 4, 3 * H, H)])
def test_other_pictures_hold_no_layers(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="no layers"):
        unpacked_layers(torch.zeros(shape))


def test_a_batch_has_layers_only_where_every_sample_has(
    make_sample: Callable[[int], Sample],
) -> None:
    layered = replace(make_sample(1), layers=np.zeros((4 * H, H, 4), np.uint8))
    assert collate([layered, make_sample(2)]).layers is None
    both = collate([layered, replace(layered, number=2)])
    assert both.layers is not None and both.layers.shape == (2, 4, 4 * H, H)


def test_samples_are_mirrored_and_coloured_with_all_their_parts(batch: Batch) -> None:
    """A target that equals its carried layer still does afterwards."""
    assert batch.layers is not None
    target = unpacked_layers(batch.layers).carried
    batch = replace(batch, target=target[:, :3], target_matte=target[:, 3:])
    flipped = set()
    for seed in range(12):
        found = augmented(batch, draws(seed))
        assert found.layers is not None
        layers = unpacked_layers(found.layers)
        assert torch.equal(layers.carried[:, :3], found.target)
        assert torch.equal(layers.carried[:, 3:], found.target_matte)
        same = [torch.equal(a, b) for a, b in zip(found.target_matte, target[:, 3:], strict=True)]
        mirrored = [
            torch.equal(a, b.flip(-1))
            for a, b in zip(found.target_matte, target[:, 3:], strict=True)
        ]
        assert all(one != other for one, other in zip(same, mirrored, strict=True))
        flipped |= set(mirrored)
        guides = unpacked_layers(batch.layers).guides
        wanted = [g.flip(-1) if m else g for g, m in zip(guides, mirrored, strict=True)]
        assert torch.equal(layers.guides, torch.stack(wanted))
    assert flipped == {True, False}


def test_the_same_draws_give_the_same_samples(batch: Batch) -> None:
    first, second, other = (augmented(batch, draws(seed)) for seed in (3, 3, 4))
    assert torch.equal(first.target, second.target)
    assert not torch.equal(first.target, other.target)


def test_samples_without_layers_are_refused(make_sample: Callable[[int], Sample]) -> None:
    with pytest.raises(ValueError, match="photo layers"):
        augmented(collate([make_sample(1)]), draws(0)[:1])
