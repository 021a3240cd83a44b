# SPDX-License-Identifier: Apache-2.0
"""The hinge game of generator and discriminator, and the distance of the features it sees.

Does not know networks: scores and features are tensors.

Source: paper section 3.4; rome-spec section 4 (Lim and Ye 2017; Wang et al. 2018).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as functional


def generator_loss(fake: torch.Tensor) -> torch.Tensor:
    """Return minus the mean score of fakes, any shape."""
    return -fake.mean()


def discriminator_loss(fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Return how far scores of fakes lie over -1 and those of reals under 1, in the mean."""
    return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()


def feature_matching(fake: Sequence[torch.Tensor], real: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the mean over blocks of the mean absolute difference of their features.

    The reals' features get no gradient. Raises ValueError when there are none or their numbers
    differ.
    """
    if not fake:
        raise ValueError("there are no features to compare")
    pairs = zip(fake, real, strict=True)
    return torch.stack([functional.l1_loss(f, r.detach()) for f, r in pairs]).mean()
