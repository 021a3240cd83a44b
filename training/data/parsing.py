# SPDX-License-Identifier: Apache-2.0
"""What a crop shows: face with hair, and all of the person, by regions or by a network.

Does not know clips or samples.

Source: rome-spec section 4: BiSeNet's classes and how the release joins them. Without the network:
the fitted head's regions, the matte and a colour model (tracking.hair_mask), our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch

from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import F32, FaceFit, HeadCrop, HeadModel, Mask
from rome_backend.models.face_parser import FaceParser
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.tracking.hair_mask import EAR, FACE, OTHER, SCALP, find_hair, seen_regions
from rome_backend.tracking.outline import SquareView

_SIDE = 512  # px that the network sees
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# CelebAMask-HQ's classes: 0 is background, 9 an earring, 15 a necklace, 18 a hat.
HAIR_AND_FACE = (*range(1, 7), *range(10, 14), *range(7, 10), 17, 18)
WHOLE = (*HAIR_AND_FACE, 14, 15, 16)


@dataclass(frozen=True)
class Parsed:
    """hair, whole (C, C) f32 in [0, 1]: how much of a pixel is face, ears or hair, and person."""

    hair: F32
    whole: F32


class Parser(Protocol):
    """name: written into manifests."""

    @property
    def name(self) -> str:
        """Return its name."""
        ...

    def parse(self, head: HeadModel, fit: FaceFit, crop: HeadCrop) -> Parsed:
        """Return what a crop shows; the fit is in its px."""
        ...


@dataclass(frozen=True)
class RegionParser:
    """Parsing without a network."""

    name: str = "regions"

    def parse(self, head: HeadModel, fit: FaceFit, crop: HeadCrop) -> Parsed:
        """Return what a crop shows: its matte, and of it what belongs to face, ears and hair."""
        hair = hair_and_face(head, fit, crop)
        return Parsed(hair.astype(np.float32), crop.matte * crop.valid)


@dataclass(frozen=True, eq=False)
class NetworkParser:
    """Parsing by BiSeNet."""

    network: FaceParser
    name: str = "bisenet"

    def parse(self, head: HeadModel, fit: FaceFit, crop: HeadCrop) -> Parsed:
        """Return what a crop shows; the head's fit is not needed."""
        side = len(crop.rgb)
        values = torch.from_numpy(crop.rgb).permute(2, 0, 1).float()[None] / 255
        values = torch.nn.functional.interpolate(
            values, (_SIDE, _SIDE), mode="bilinear", align_corners=False
        )
        mean, spread = (torch.tensor(each)[:, None, None] for each in (_MEAN, _SPREAD))
        with torch.no_grad():
            labels = self.network((values - mean) / spread)[0].argmax(0).numpy()
        masks = (np.isin(labels, classes) for classes in (HAIR_AND_FACE, WHOLE))
        hair, whole = (
            cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
            for mask in masks
        )
        return Parsed(hair * crop.valid, whole * crop.valid)


def hair_and_face(head: HeadModel, fit: FaceFit, crop: HeadCrop) -> Mask:
    """Return which pixels (C, C) of a crop show face, ears or hair; the fit is in its px.

    The bald head's scalp counts: what covers it is hair. Eyes and mouth belong to the face.
    """
    side = len(crop.rgb)
    view = SquareView(fit, side, side)
    vertices = posed_vertices(head, fit.params)
    seen = seen_regions(head, vertices, view, TorchRasterizer())
    person = crop.matte > 0.5
    found = find_hair(head, vertices, view, crop, person, seen)
    return np.asarray((found.hair | np.isin(seen, (FACE, EAR, SCALP, OTHER))) & person)
