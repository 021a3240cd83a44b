# SPDX-License-Identifier: Apache-2.0
"""Makes what a configuration trains.

Does not know how it draws.
"""

from __future__ import annotations

import torch

from rome_backend.core.types import HeadModel
from training.config import ModelSizes, Precision
from training.photo_trainee import make_photo_trainee
from training.trainee import Trainee, make_rome_trainee


def make_trainee(
    sizes: ModelSizes,
    head: HeadModel,
    seed: int = 0,
    device: torch.device | str = "cpu",
    precision: Precision = "float32",
) -> Trainee:
    """Return networks with random weights; the same seed gives the same ones."""
    make = make_photo_trainee if sizes.start == "photo" else make_rome_trainee
    return make(sizes, head, seed, device, precision)
