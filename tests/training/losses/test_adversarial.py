# SPDX-License-Identifier: Apache-2.0
"""The game's losses: where the hinge ends, and whose features are trained."""

from __future__ import annotations

import pytest
import torch

from training.losses.adversarial import discriminator_loss, feature_matching, generator_loss


def test_the_hinge_stops_where_the_discriminator_is_sure() -> None:
    fake, real = (torch.full((2, 1, 4, 4), value, requires_grad=True) for value in (-1.5, 1.5))
    loss = discriminator_loss(fake, real)
    loss.backward()
    assert loss.item() == 0 and fake.grad is not None and fake.grad.eq(0).all()
    assert discriminator_loss(real.detach(), fake.detach()).item() == 5


def test_the_generator_gains_by_higher_scores_without_end() -> None:
    assert generator_loss(torch.full((3,), 7.0)).item() == -7


def test_features_of_reals_are_not_trained() -> None:
    fake, real = (torch.rand(1, 2, 4, 4, requires_grad=True) for _ in range(2))
    feature_matching([fake], [real]).backward()
    assert fake.grad is not None and real.grad is None


def test_features_must_be_of_as_many_blocks() -> None:
    values = torch.zeros(1)
    with pytest.raises(ValueError, match="no features"):
        feature_matching([], [])
    with pytest.raises(ValueError):
        feature_matching([values], [values, values])
