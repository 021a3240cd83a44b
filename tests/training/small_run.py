# SPDX-License-Identifier: Apache-2.0
"""A configuration and samples so small that a training step takes a fraction of a second.

Does not know which part of training is tested.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.batch import Sample
from training.config import CONFIGS, LossWeights, ModelSizes, TrainConfig

SIDE = 16


def tiny_config() -> TrainConfig:
    """All losses that need no imported network, on pictures of 16 pixels."""
    sizes = ModelSizes(
        side=SIDE,
        texture_inner=4,
        texture_levels=2,
        unet_widths=(8, 8, 8),
        offsets_width=16,
        discriminator_widths=(8, 8),
        offset_limit=0.02,
    )
    weights = LossWeights(perceptual=0, gaze=0, identity=0, colour=10.0)
    return replace(
        CONFIGS["small"], name="tiny", sizes=sizes, weights=weights, batch=4, micro_batch=2
    )


def noise_sample(number: int) -> Sample:
    """A sample of noise for the small head with plausible masks, the same for the same number."""
    random = np.random.default_rng(number)
    row, column = (np.indices((SIDE, SIDE)) + 0.5) / SIDE - 0.5
    disc = (np.hypot(row, column) < random.uniform(0.2, 0.4)).astype(np.uint8) * 255
    pictures = random.integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    return Sample(
        number=number,
        source=pictures[0],
        source_matte=disc,
        target=pictures[1],
        target_matte=disc,
        hair=disc,
        whole=np.maximum(disc, np.uint8(255) * (row > 0.3).astype(np.uint8)),
        shape=random.normal(size=6).astype(np.float32),
        expression=random.uniform(0, 1, 5).astype(np.float32),
        jaw=np.array([0.1, 0, 0], np.float32),
        rotation=random.normal(0, 0.2, 3).astype(np.float32),
        camera=np.array([6.0, 0, 0], np.float32),
        landmarks=(0.4 * np.stack([np.cos(turn), np.sin(turn)], -1)).astype(np.float32),
    )
