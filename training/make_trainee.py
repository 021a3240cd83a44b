# SPDX-License-Identifier: Apache-2.0
"""Makes what a configuration trains, and what the program ships as it would be trained.

Does not know how it draws.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from rome_backend.avatar.photo_weights import load_photo_mender
from rome_backend.core.types import HeadModel
from training.config import ModelSizes, Precision, named_config
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


def default_trainee(head: HeadModel) -> Trainee:
    """Return the program's default networks, to be judged: training does not go on with them.

    Raises FileInvalid where their file is damaged.
    """
    config = named_config("light")
    fresh = make_photo_trainee(config.sizes, head, config.seed, "cpu", config.precision)
    return replace(fresh, mender=load_photo_mender())
