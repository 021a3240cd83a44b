# SPDX-License-Identifier: Apache-2.0
"""Losses of masks: Dice of the predicted matte, occupancy of the soft silhouette.

Does not know rasterizers; silhouettes arrive as pictures.

Source: paper section 3.4, equations of L_seg and L_occ; rome-spec section 4.
"""

from __future__ import annotations

import torch

from training.losses.form import Form, is_released

_EPSILON = 1e-7
_PICTURE = (1, 2, 3)


def dice(logits: torch.Tensor, matte: torch.Tensor) -> torch.Tensor:
    """Return 1 - 2 mean(p g) / mean(p^2 + g^2) in the mean over N, p the sigmoid of the logits.

    logits, matte (N, 1, H, W); matte in [0, 1]. The form of paper and release is the same.
    """
    found = torch.sigmoid(logits)
    both = (found * matte).mean(_PICTURE)
    each = (found.square() + matte.square()).mean(_PICTURE)
    return 1 - (2 * both / (each + _EPSILON)).mean()


def occupancy(silhouette: torch.Tensor, target: torch.Tensor, form: Form = "paper") -> torch.Tensor:
    """Return how far a soft silhouette (N, 1, H, W) is from a mask (N, 1, H, W).

    paper: the squared L2 norm, summed over a picture, mean over N; released: half the mean square.
    """
    error = (silhouette - target).square()
    return 0.5 * error.mean() if is_released(form) else error.sum(_PICTURE).mean()


def on_random_ground(
    picture: torch.Tensor, logits: torch.Tensor, colour: torch.Tensor
) -> torch.Tensor:
    """Return a picture (N, 3, H, W) over a plain colour (N, 3, 1, 1), by the predicted mask.

    logits (N, 1, H, W). Prediction and truth get the same mask, which gets no gradient, so that
    losses of colour neither see the true matte nor train the predicted one (rome-spec section 4).
    """
    return over(picture, torch.sigmoid(logits).detach(), colour)


def over(picture: torch.Tensor, mask: torch.Tensor, colour: torch.Tensor) -> torch.Tensor:
    """Return a picture (N, 3, H, W) over a plain colour (N, 3, 1, 1), by a mask (N, 1, H, W)."""
    return picture * mask + colour * (1 - mask)
