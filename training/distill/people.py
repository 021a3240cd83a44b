# SPDX-License-Identifier: Apache-2.0
"""People whose offsets are known: invented ones, those that a trained teacher sees, avatars.

Does not know bases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from rome_backend.avatar.avatar import load_avatar, require_head_model
from rome_backend.core.errors import FileInvalid, UsageError
from rome_backend.core.landmarks_68 import landmarks_68_of
from rome_backend.core.types import F32, HeadModel
from rome_backend.tracking.aligned_source import align_source
from training.batch import Sample, collate
from training.trainee import RomeTrainee
from training.trainer import Samples

_ENDING = ".rome"


@dataclass(frozen=True)
class Example:
    """A person: the aligned source (3, S, S) f32 RGB in [0, 1], offsets (V, 3) f32 m, and where it
    is from one, the two-frame sample that says where the head stands in another picture."""

    source: F32
    offsets: F32
    sample: Sample | None = None


def examples_of_samples(samples: Samples, teacher: RomeTrainee | None = None) -> Iterator[Example]:
    """Yield the people of samples; a teacher sees their offsets where they are not known.

    Raises FileInvalid (`no_offsets`) for a sample without offsets when there is no teacher.
    """
    for place in range(len(samples)):
        sample = samples.sample(place)
        source = sample.source.transpose(2, 0, 1).astype(np.float32) / np.float32(255)
        if teacher is not None:
            yield Example(source, _seen(teacher, sample), sample)
        elif sample.offsets is None:
            raise FileInvalid(
                "no_offsets", f"Sample {sample.number} has no offsets.",
                "Name trained networks that see them: --teacher CHECKPOINT.",
            )  # fmt: skip
        else:
            yield Example(source, sample.offsets, sample)


def _seen(teacher: RomeTrainee, sample: Sample) -> F32:
    """Return the offsets (V, 3) m that trained networks give the neutral head of a sample."""
    batch = collate([sample])
    with torch.no_grad():
        texture = teacher.system.encode(batch.source, batch.source_matte)
        found = teacher.system.canonical_offsets(texture, teacher.head, batch.pose)
    return np.asarray(found[0].numpy(), np.float32)


def examples_of_avatars(folder: Path, head: HeadModel, side: int) -> Iterator[Example]:
    """Yield the people of a folder of avatars, their source photos aligned to ``side`` px.

    Raises UsageError (`no_avatars`), FileInvalid (also `topology_mismatch`).
    """
    paths = sorted(folder.glob(f"*{_ENDING}"))
    if not paths:
        raise UsageError(
            "no_avatars", f"There are no avatars in {str(folder)!r}.",
            f"Give a folder of shards or of {_ENDING} files.",
        )  # fmt: skip
    for path in paths:
        avatar = load_avatar(path)
        require_head_model(avatar, head)
        matte = avatar.source_matte.astype(np.float32) / np.float32(255)
        points = landmarks_68_of(avatar.source_landmarks[:, :2])
        aligned = align_source(avatar.source_crop, matte, points, side)
        yield Example(np.asarray(aligned.picture, np.float32), avatar.offsets)
