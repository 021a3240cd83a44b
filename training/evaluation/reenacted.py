# SPDX-License-Identifier: Apache-2.0
"""The network that mends photo pictures, on invented people that it was not trained on.

Does not know clips or files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from rome_backend.avatar.photo_mend import Mended, averaged
from rome_backend.core.types import U8
from training.batch import Sample, collate
from training.evaluation.renderers import Drawn
from training.evaluation.synthetic import judged
from training.layers import unpacked_layers
from training.trainee import Trainee


def evaluate_reenacted(
    make: Callable[[int], Sample],
    trainees: Mapping[str, Trainee],
    count: int,
    progress: Callable[[str, float], None] = lambda name, fraction: None,
) -> tuple[dict[str, Any], U8]:
    """Return what ``judged`` does, on samples with photo layers: the textured mesh is as the
    pipeline has it."""
    return judged(make, mesh_picture, trainees, count, progress)


def mesh_picture(sample: Sample) -> Drawn:
    """Return the target as the avatar's own textured mesh shows it. Raises ValueError for samples
    without layers."""
    stored = collate([sample]).layers
    if stored is None:
        raise ValueError("the sample has no photo layers")
    drawn = unpacked_layers(stored).drawn
    samples = drawn.shape[-1] // len(sample.target)
    shown = averaged(Mended(drawn[:, :3], drawn[:, 3:]), samples)
    rgb = (255 * shown.rgb[0] + 0.5).to(torch.uint8).permute(1, 2, 0).numpy()
    return np.asarray(rgb), np.asarray(shown.alpha[0, 0].numpy())
