# SPDX-License-Identifier: Apache-2.0
"""Networks on invented people that they were not trained on, beside the textured mesh.

Does not know clips or files.

The textured mesh has every advantage: the true offsets, the source's true pose and camera, and
the target's. So what it misses is what one picture does not show: the other light, the sides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from rome_backend.avatar.driven_pose import canonical_head
from rome_backend.core.types import F32, F64, U8, HeadModel
from rome_backend.render.shading import picture
from training.batch import Sample, collate
from training.data.synthetic.photograph import pose_camera
from training.data.synthetic.sequence import SequenceMaker, with_texture
from training.evaluation.renderers import Drawn
from training.evaluation.scores import Scores, on_ground, score, summary
from training.trainee import Trainee

_SHOWN = 6


def evaluate_synthetic(
    maker: SequenceMaker,
    head: HeadModel,
    trainees: Mapping[str, Trainee],
    count: int,
    progress: Callable[[str, float], None] = lambda name, fraction: None,
) -> tuple[dict[str, Any], U8]:
    """Return what ``judged`` does, on ``count`` sequences of the maker."""

    def make(number: int) -> Sample:
        sequence = maker.make(number)
        return with_texture(sequence, head, texture_side(len(sequence.sample.target)))

    return judged(make, lambda sample: textured_mesh(head, sample), trainees, count, progress)


def judged(
    make: Callable[[int], Sample],
    mesh: Callable[[Sample], Drawn],
    trainees: Mapping[str, Trainee],
    count: int,
    progress: Callable[[str, float], None] = lambda name, fraction: None,
) -> tuple[dict[str, Any], U8]:
    """Return the JSON result on ``count`` samples and a picture of some of them.

    The mask is the true one of face, ears and hair. Rows of the picture: source, truth, textured
    mesh as ``mesh`` draws it, then the trainees.
    """
    scores: dict[str, list[Scores]] = {name: [] for name in ("textured_mesh", *trainees)}
    rows: list[F64] = []
    for number in range(count):
        progress("judging", number / count)
        sample = make(number)
        drawn = {"textured_mesh": mesh(sample)}
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


def texture_side(side: int) -> int:
    """Return the side of baked textures for pictures of ``side`` px."""
    return max(256, 2 * side)


def textured_mesh(head: HeadModel, sample: Sample) -> Drawn:
    """Return the target as the mesh with the sample's texture and offsets shows it."""
    assert sample.texture is not None and sample.offsets is not None
    pose = collate([sample]).pose
    canonical = canonical_head(head, pose)
    vertices = canonical.vertices[0].numpy() + sample.offsets
    camera = pose_camera(pose, canonical.root, len(sample.target))
    albedo = np.ascontiguousarray(sample.texture[..., :3])
    shown = picture(vertices, head.faces, head.uvs, head.uv_faces, camera, albedo)
    return shown[..., :3], _alpha(shown[..., 3])


def networks_picture(trainee: Trainee, sample: Sample) -> Drawn:
    """Return the target as networks draw it from the source."""
    with torch.no_grad():
        drawn = trainee.drive(collate([sample])).rendered
    rgb = (255 * drawn.rgb[0] + 0.5).to(torch.uint8).permute(1, 2, 0).numpy()
    return np.asarray(rgb), np.asarray(drawn.soft_mask[0, 0].numpy())


def _alpha(values: U8) -> F32:
    return values.astype(np.float32) / np.float32(255)
