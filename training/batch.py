# SPDX-License-Identifier: Apache-2.0
"""What a training step sees: a source and a driving frame of the same person, with their truths.

Does not know where samples come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch

from rome_backend.avatar.driven_pose import DrivenPose
from rome_backend.core.types import F32, U8


@dataclass(frozen=True)
class Sample:
    """A two-frame sequence: the source, aligned, and the driving frame that is to be rendered.

    number: its own among the samples; source, target (T, T, 3) u8 sRGB;
    source_matte, target_matte, hair, whole (T, T) u8, 255 = inside: the target's person, its
    face with ears and hair, and that with neck and clothes;
    shape (S,), expression (E,), jaw (3,), rotation (3,), camera (3,) f32: as DrivenPose has them;
    landmarks (68, 2) f32: of the target, NDC, y down;
    texture (B, B, 4) u8 or None: baked from the source, and where it was seen; not in shards;
    layers (4 H, H, 4) u8 or None: what the system's own avatar shows, as training.layers packs it;
    offsets (V, 3) f32 m or None: the person's, where they are known.
    """

    number: int
    source: U8
    source_matte: U8
    target: U8
    target_matte: U8
    hair: U8
    whole: U8
    shape: F32
    expression: F32
    jaw: F32
    rotation: F32
    camera: F32
    landmarks: F32
    texture: U8 | None = None
    layers: U8 | None = None
    offsets: F32 | None = None

    def __post_init__(self) -> None:
        """Raise ValueError when pictures and masks are not of one size."""
        sides = {each.shape[:2] for each in self.pictures().values()}
        if len(sides) != 1 or len(set(next(iter(sides)))) != 1:
            raise ValueError(f"the pictures of a sample are squares of one size, not {sides}")
        if self.landmarks.shape != (68, 2):
            raise ValueError(f"there are 68 landmarks, not {self.landmarks.shape}")

    def pictures(self) -> dict[str, U8]:
        """Return the pictures and masks by name."""
        names = ("source", "source_matte", "target", "target_matte", "hair", "whole")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Batch:
    """Samples on a device.

    source, target (N, 3, T, T), source_matte, target_matte, hair, whole (N, 1, T, T): in [0, 1];
    pose: of the target with the source's shape; landmarks (N, 68, 2) NDC, on the CPU;
    numbers: the samples'; layers (N, 4, 4 H, H) in [0, 1] and offsets (N, V, 3) m, or None.
    """

    source: torch.Tensor
    source_matte: torch.Tensor
    target: torch.Tensor
    target_matte: torch.Tensor
    hair: torch.Tensor
    whole: torch.Tensor
    pose: DrivenPose
    landmarks: torch.Tensor
    numbers: tuple[int, ...]
    layers: torch.Tensor | None = None
    offsets: torch.Tensor | None = None


def collate(samples: Sequence[Sample], device: torch.device | str = "cpu") -> Batch:
    """Return samples of one size as a batch. Raises ValueError when there are none."""
    if not samples:
        raise ValueError("a batch has at least one sample")
    pictures = {
        name: _picture(np.stack([sample.pictures()[name] for sample in samples])).to(device)
        for name in samples[0].pictures()
    }
    poses = {
        each.name: torch.from_numpy(np.stack([getattr(s, each.name) for s in samples])).to(device)
        for each in fields(DrivenPose)
    }
    landmarks = torch.from_numpy(np.stack([sample.landmarks for sample in samples]))
    numbers = tuple(sample.number for sample in samples)
    layers = [sample.layers for sample in samples if sample.layers is not None]
    offsets = [sample.offsets for sample in samples if sample.offsets is not None]
    all_layered, all_known = (len(each) == len(samples) for each in (layers, offsets))
    return Batch(
        **pictures,
        pose=DrivenPose(**poses),
        landmarks=landmarks,
        numbers=numbers,
        layers=_picture(np.stack(layers)).to(device) if all_layered else None,
        offsets=torch.from_numpy(np.stack(offsets)).to(device) if all_known else None,
    )


def _picture(values: U8) -> torch.Tensor:
    """Return (N, C, T, T) in [0, 1] of (N, T, T, 3) or (N, T, T) u8."""
    tensor = torch.from_numpy(values).float() / 255
    return tensor.permute(0, 3, 1, 2).contiguous() if tensor.ndim == 4 else tensor[:, None]


def draw(seed: int, step: int, number: int) -> torch.Generator:
    """Return the generator of everything drawn for a sample in a step.

    It depends on nothing else, so neither on the batch it is in nor on the process.
    """
    state = np.random.SeedSequence([seed, step, number]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> 1))
