# SPDX-License-Identifier: Apache-2.0
"""Which pixels of a head's crop show hair (or a hat): colours learned from the photo itself.

Does not know offsets or how hair is laid out.

Method (our own): the posed bald head says where skin and scalp should be; skin colours come from
the face, hair colours from the scalp that is not skin-like; GrabCut (Rother et al. 2004) decides
the rest, clothes and background being the other class.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from rome_backend.core.hair_colours import COVER_SHARE, worn_share
from rome_backend.core.types import F32, F64, I32, U8, HeadCrop, HeadModel, Mask
from rome_backend.render.rasterizer import Rasterizer
from rome_backend.tracking.outline import SquareView

_ROUNDS = 3
_LEAST = 60  # hair pixels; fewer are no hair
_BARE = 0.9  # share of the seen scalp that has the skin's colours when it is bald
_SKIN_DISTANCE = 7.0
_SPREAD = np.array([9.0, 3.0, 3.5])  # least spread of skin colours in L, a, b
_CHEST_M = 0.035
_BESIDE_M = 0.008  # what stands off the bald head above the chin and is not skin is hair


@dataclass(frozen=True)
class HairMask:
    """hair (S, S) bool: pixels that show hair or what is worn instead; skin (S, S) f32: distance
    from the face's colours, in standard deviations squared; bald: the scalp is skin; cover: what
    covers it is a scarf or hat by its colours."""

    hair: Mask
    skin: F32
    bald: bool
    cover: bool = False


def find_hair(
    head: HeadModel,
    vertices: F64,
    view: SquareView,
    crop: HeadCrop,
    person: Mask,
    seen: I32,
) -> HairMask:
    """Return where hair is seen in the view's square.

    vertices (V, 3) m: the posed head without hair; person (S, S): the matte; seen (S, S): from
    `seen_regions`.
    """
    size = (view.size, view.size)
    rgb = np.asarray(cv2.resize(crop.rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    known = cv2.resize(crop.valid.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    face = (seen == FACE) & known & person
    distance = skin_distance(rgb, face)
    rows = np.arange(view.size)[:, None]
    ears = np.asarray(head.regions.get("ears", head.regions["hair"]))
    top = view.project(vertices[ears])[:, 1].min() if ears.any() else view.size / 2
    scalp = (seen == SCALP) | ((seen == NOTHING) & (rows < top))
    scalp &= person & known
    inner = cv2.erode(scalp.astype(np.uint8), np.ones((3, 3))) > 0
    sure = inner & (distance > _SKIN_DISTANCE)
    bare = float((scalp & ~(distance > _SKIN_DISTANCE)).sum() / max(scalp.sum(), 1))
    if sure.sum() < _LEAST or bare > _BARE:
        return HairMask(np.zeros(size, bool), distance, bald=True)
    chin = _chin_row(head, vertices, view)
    beside = _far_from(seen != NOTHING, _BESIDE_M * view.scale) & (rows < chin) & person & known
    sure |= beside & (distance > _SKIN_DISTANCE)
    other = _others(head, vertices, view) & known
    hair = _cut(rgb, sure, person & known, other | (face & (distance < 2 * _SKIN_DISTANCE)))
    hair = _joined(hair & person, sure)
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    cover = worn_share(lab[hair & (rows < chin)]) > COVER_SHARE
    return HairMask(hair, distance, bald=False, cover=cover)


NOTHING, FACE, SCALP, NECK, EAR, OTHER = range(6)


def seen_regions(head: HeadModel, vertices: F64, view: SquareView, rasterizer: Rasterizer) -> I32:
    """Return what part of the bald head each pixel (S, S) shows, as the codes above."""
    code = np.full(len(vertices), OTHER)
    named = (("face", FACE), ("hair", SCALP), ("neck", NECK), ("ears", EAR))
    for name, value in named:
        code[np.asarray(head.regions.get(name, np.zeros(len(vertices), bool)))] = value
    px = view.project(vertices)
    ndc = np.column_stack([2 * px[:, :2] / view.size - 1, -px[:, 2]])
    faces = torch.from_numpy(np.ascontiguousarray(head.faces)).long()
    points = torch.from_numpy(ndc).float()[None]
    found = rasterizer.rasterize(points, faces, view.size, view.size).face_index[0].numpy()
    of_face = np.median(code[head.faces], axis=1).astype(int)
    return np.where(found >= 0, of_face[np.maximum(found, 0)], NOTHING).astype(np.int32)


def skin_distance(rgb: U8, face: Mask) -> F32:
    """Return the squared distance (S, S) of colours from those of the face's skin."""
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    if face.sum() < 20:
        return np.zeros(rgb.shape[:2], np.float32)
    chosen = lab[face]
    middle, spread = np.median(chosen, axis=0), np.maximum(chosen.std(axis=0), _SPREAD)
    for _ in range(3):
        kept = (((chosen - middle) / spread) ** 2).sum(axis=1) < 6
        if kept.sum() < 20:
            break
        middle = chosen[kept].mean(axis=0)
        spread = np.clip(chosen[kept].std(axis=0), _SPREAD, 1.6 * _SPREAD)
    return np.asarray((((lab - middle) / spread) ** 2).sum(axis=2), np.float32)


def _chin_row(head: HeadModel, vertices: F64, view: SquareView) -> float:
    """Return the row (px) of the face's lowest point, or of the head's for a head without face."""
    face = np.asarray(head.regions.get("face", np.zeros(len(vertices), bool)))
    return float(view.project(vertices[face] if face.any() else vertices)[:, 1].max())


def _others(head: HeadModel, vertices: F64, view: SquareView) -> Mask:
    """Return pixels that are surely no hair: the middle of chest and neck."""
    chin = _chin_row(head, vertices, view)
    below = np.arange(view.size)[:, None] > chin + 0.01 * view.scale
    middle = view.project(vertices[np.asarray(head.regions["neck"])])[:, 0].mean()
    near = np.abs(np.arange(view.size)[None] - middle) < _CHEST_M * view.scale
    return np.asarray(below & near)


def _far_from(mask: Mask, px: float) -> Mask:
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(away > px)


def _cut(rgb: U8, sure: Mask, person: Mask, other: Mask) -> Mask:
    labels = np.full(sure.shape, cv2.GC_PR_BGD, np.uint8)
    labels[person] = cv2.GC_PR_BGD
    labels[~person] = cv2.GC_BGD
    labels[other] = cv2.GC_BGD
    labels[sure] = cv2.GC_FGD
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    image = np.ascontiguousarray(rgb[..., ::-1])
    whole = (0, 0, rgb.shape[1], rgb.shape[0])
    cv2.grabCut(image, labels, whole, background, foreground, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))


def _joined(hair: Mask, sure: Mask) -> Mask:
    """Return the parts of hair (S, S) that hang together with what is sure."""
    _, labels = cv2.connectedComponents(hair.astype(np.uint8))
    wanted = np.unique(labels[sure & hair])
    return np.asarray(np.isin(labels, wanted[wanted > 0]))
