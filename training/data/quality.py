# SPDX-License-Identifier: Apache-2.0
"""How good a face's picture is, without another to compare it with.

Does not know clips. Classical by default: sharpness, less what compression's blocks and lost
highlights and shadows take from it; an imported network where there is one.

Source: paper section 4 filters clips by such a score (HyperIQA there); the classical one is our
own, its blocks as in Wang, Bovik and Evans 2000.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch

from rome_backend.core.types import F32, U8
from rome_backend.models.quality_network import SIDE, QualityNetwork

_SHARPNESS_SIDE = 96  # px that a face is brought to before its sharpness is measured
_LEAST_CONTRAST = 1.0  # levels of brightness, under which there is nothing to be sharp
_CONTRAST = 10.0  # levels of spread that a face has in any fair light
_BLOCK = 8
_DARK, _BRIGHT = 6, 249  # levels beyond which nothing is told apart
_WIDTH, _HEIGHT = 512, 384  # what the network's pictures are brought to before it sees parts


class Judge(Protocol):
    """name: written into manifests; least: the score of a picture that is good enough."""

    @property
    def name(self) -> str:
        """Return its name."""
        ...

    @property
    def least(self) -> float:
        """Return the score under which a frame is left out."""
        ...

    def score(self, face: U8) -> float:
        """Return how good the picture of a face (H, W, 3) u8 is."""
        ...


@dataclass(frozen=True)
class ClassicalJudge:
    """Sharpness, contrast, blocks and exposure.

    least: sharp clips have 0.3 to 0.7, the same ones blurred by a hundredth of the face's height
    0.13 to 0.23, by two hundredths 0.06 to 0.1, as a JPEG of quality 3 has.
    """

    least: float = 0.12
    name: str = "classical"

    def score(self, face: U8) -> float:
        """Return the quality of a face: 0 is none."""
        shown = min(1.0, contrast(face) / _CONTRAST)
        return sharpness(face) * shown * (1 - blockiness(face)) * (1 - lost(face))


@dataclass(frozen=True, eq=False)
class NetworkJudge:
    """HyperIQA; a score from 0 to 100."""

    network: QualityNetwork
    least: float = 35.0
    name: str = "hyperiqa"

    def score(self, face: U8) -> float:
        """Return the mean over five parts of the picture, the corners and the middle."""
        small = cv2.resize(face, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
        values = torch.from_numpy(small).permute(2, 0, 1).float() / 255
        right, low = _WIDTH - SIDE, _HEIGHT - SIDE
        corners = ((0, 0), (0, right), (low, 0), (low, right), (low // 2, right // 2))
        parts = torch.stack([values[:, y : y + SIDE, x : x + SIDE] for y, x in corners])
        with torch.no_grad():
            return float(self.network(parts).mean())


def face_picture(rgb: U8, landmarks: F32) -> U8:
    """Return the part (H, W, 3) of a picture that landmarks (L, 3) px span; it may be empty."""
    low = np.maximum(landmarks[:, :2].min(0), 0).astype(int)
    high = np.maximum(landmarks[:, :2].max(0), 0).astype(int)
    return rgb[low[1] : high[1], low[0] : high[0]]


def sharpness(face: U8) -> float:
    """Return how sharp a face is: the spread of its Laplacian at a fixed size, as a share of the
    spread of its brightness; 0 without pixels or contrast."""
    if not face.size:
        return 0.0
    size = (_SHARPNESS_SIDE, _SHARPNESS_SIDE)
    small = cv2.resize(face.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    spread, edges = float(grey.std()), cv2.Laplacian(grey, cv2.CV_32F)
    return float(edges.std()) / spread if spread > _LEAST_CONTRAST else 0.0


def contrast(face: U8) -> float:
    """Return the spread of a face's brightness in levels; 0 without pixels."""
    return float(face.mean(2).std()) if face.size else 0.0


def blockiness(face: U8) -> float:
    """Return how much stronger steps are every eighth pixel than elsewhere: 0 not at all, to 1."""
    grey = face.astype(np.float32).mean(2)
    return max(_grid_strength(grey), _grid_strength(grey.T))


def _grid_strength(grey: F32) -> float:
    """Return the excess of the strongest of eight phases over the others' median, of (H, W)."""
    if grey.shape[1] < 3 * _BLOCK or not grey.shape[0]:
        return 0.0
    steps = np.abs(np.diff(grey, axis=1)).mean(0)
    phases = np.array([steps[phase::_BLOCK].mean() for phase in range(_BLOCK)])
    strongest, usual = float(phases.max()), float(np.median(phases))
    # A chance difference between the phases of a few columns is no grid.
    excess = strongest - 1.5 * usual
    return min(max(0.0, excess / strongest), 1.0) if strongest > 0 else 0.0


def lost(face: U8) -> float:
    """Return the share of a face's pixels that are black or burnt out."""
    if not face.size:
        return 0.0
    black, burnt = (face <= _DARK).all(2), (face >= _BRIGHT).all(2)
    return float((black | burnt).mean())
