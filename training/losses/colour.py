# SPDX-License-Identifier: Apache-2.0
"""A plain distance of pictures, for training where no network to compare with is installed.

Does not know networks.

Source: our own; neither the paper nor the release has it, and their configurations leave it off.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional

LEVELS = 4
_EDGES = 2.0  # weight of differences between neighbours: without it the mean is blurred


def colour(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute difference of pictures (N, 3, H, W) and of their edges.

    Averaged over LEVELS sizes, each half the one before; the wanted picture gets no gradient.
    """
    wanted, each = wanted.detach(), []
    for level in range(LEVELS):
        if level:
            found, wanted = (functional.avg_pool2d(values, 2) for values in (found, wanted))
        apart = found - wanted
        edges = apart.diff(dim=-1).abs().mean() + apart.diff(dim=-2).abs().mean()
        each.append(apart.abs().mean() + _EDGES * edges)
    return torch.stack(each).mean()
