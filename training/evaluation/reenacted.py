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
from rome_backend.core.types import F64, U8
from training.batch import Sample, collate
from training.evaluation.renderers import Drawn
from training.evaluation.scores import Scores, on_ground, score, summary
from training.evaluation.synthetic import networks_picture
from training.layers import unpacked_layers
from training.trainee import Trainee

_SHOWN = 6


def evaluate_reenacted(
    make: Callable[[int], Sample],
    trainees: Mapping[str, Trainee],
    count: int,
    progress: Callable[[str, float], None] = lambda name, fraction: None,
) -> tuple[dict[str, Any], U8]:
    """Return the JSON result on ``count`` samples with photo layers, and a picture of some.

    The mask is the true one of face, ears and hair. Rows of the picture: source, truth, textured
    mesh as the pipeline has it, then the trainees.
    """
    scores: dict[str, list[Scores]] = {name: [] for name in ("textured_mesh", *trainees)}
    rows: list[F64] = []
    for number in range(count):
        progress("judging", number / count)
        sample = make(number)
        drawn = {"textured_mesh": mesh_picture(sample)}
        drawn |= {name: networks_picture(each, sample) for name, each in trainees.items()}
        matte, within = (
            each.astype(np.float32) / np.float32(255) for each in (sample.target_matte, sample.hair)
        )
        for name, found in drawn.items():
            scores[name].append(score(sample.target, matte, within, *found))
        if number < _SHOWN:
            pictures = [(sample.target, matte), *drawn.values()]
            rows.append(np.concatenate([sample.source, *(on_ground(*p) for p in pictures)], axis=1))
    result = summary(scores)
    frames = result.pop("frames")
    sheet = (np.concatenate(rows) + 0.5).astype(np.uint8)
    return {"protocol": "synthetic", "frames": frames, "mean": result}, sheet


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
