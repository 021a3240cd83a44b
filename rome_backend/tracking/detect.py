# SPDX-License-Identifier: Apache-2.0
"""Finds faces in a picture of any size: MediaPipe's short-range detector on it and on tiles of it.

Does not know landmarks, photo files or which face is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from rome_backend.core.types import F32, F64, U8
from rome_backend.tracking.sampling import BLACK, sample_square
from rome_backend.tracking.tflite_graph import TfliteGraph

_SIDE = 128
_BATCH = 16
_GRIDS = ((16, 2), (8, 6))
_MINIMUM_SCORE = 0.5
_OVERLAP = 0.3


@dataclass(frozen=True)
class Detection:
    """A face: centre (2,) and size (2,) of its box and six keypoints (6, 2), f64 px of the picture
    (subject's right eye, left eye, nose tip, mouth, right ear, left ear); score in [0, 1]."""

    centre: F64
    size: F64
    keypoints: F64
    score: float


class FaceDetector:
    """MediaPipe's short-range face detector, extended to faces that are small in the picture.

    Source: BlazeFace (Bazarevsky et al. 2019) with the anchors, scaling and weighted suppression
    of MediaPipe 0.10.21; the search over tiles is our own.
    """

    def __init__(self, path: Path) -> None:
        self._graph = TfliteGraph(path)
        self._anchors = _anchors()

    def detect(self, rgb: U8, tile: float = 1.0) -> list[Detection]:
        """Return the faces in `rgb` (H, W, 3), the surest first.

        Args:
            tile: side of the square tiles that are searched, as a fraction of the longer side;
                tiles overlap by half. 1 searches the whole picture at once.
        """
        found: list[Detection] = []
        tiles = _tiles(rgb.shape[1], rgb.shape[0], tile)
        for first in range(0, len(tiles), _BATCH):
            batch = tiles[first : first + _BATCH]
            views = [_view(rgb, square) for square in batch]
            inputs = np.stack(views).astype(np.float32) / np.float32(127.5) - np.float32(1)
            result = self._graph(torch.from_numpy(inputs))
            boxes = result["regressors"].numpy()
            scores = _sigmoid(result["classificators"].numpy()[..., 0])
            for square, box, score in zip(batch, boxes, scores, strict=True):
                found += self._decode(square, box, score)
        return suppress(found)

    def _decode(
        self, square: tuple[float, float, float], boxes: F32, scores: F32
    ) -> list[Detection]:
        left, top, side = square
        origin = np.array([left, top])
        found = []
        for index in np.flatnonzero(scores > _MINIMUM_SCORE):
            points = boxes[index].reshape(8, 2).astype(np.float64) / _SIDE
            anchor = self._anchors[index]
            centre = (points[0] + anchor) * side + origin
            keypoints = (points[2:] + anchor) * side + origin
            found.append(Detection(centre, points[1] * side, keypoints, float(scores[index])))
        return found


def suppress(found: list[Detection]) -> list[Detection]:
    """Merge detections that overlap into their mean weighted by score, the surest first.

    Source: MediaPipe's weighted non-maximum suppression; a box that lies mostly inside a surer one
    is merged too, because tiles may show a part of a face.
    """
    remaining = sorted(found, key=lambda face: -face.score)
    merged = []
    while remaining:
        best = remaining[0]
        group = [face for face in remaining if _overlap(best, face) > _OVERLAP]
        remaining = [face for face in remaining[1:] if _overlap(best, face) <= _OVERLAP]
        weights = np.array([face.score for face in group])
        weights = weights / weights.sum()
        merged.append(
            Detection(
                centre=np.average([face.centre for face in group], 0, weights),
                size=np.average([face.size for face in group], 0, weights),
                keypoints=np.average([face.keypoints for face in group], 0, weights),
                score=best.score,
            )
        )
    return merged


def _overlap(a: Detection, b: Detection) -> float:
    low = np.maximum(a.centre - a.size / 2, b.centre - b.size / 2)
    high = np.minimum(a.centre + a.size / 2, b.centre + b.size / 2)
    shared = float(np.prod(np.clip(high - low, 0, None)))
    areas = float(np.prod(a.size)), float(np.prod(b.size))
    return shared / max(sum(areas) - shared, 1e-9)


def _tiles(width: int, height: int, fraction: float) -> list[tuple[float, float, float]]:
    """Return squares (left, top, side) in px; a square may reach over the picture's border."""
    side = max(width, height) * fraction
    return [(x, y, side) for y in _starts(height, side) for x in _starts(width, side)]


def _starts(extent: float, side: float) -> list[float]:
    if extent <= side:
        return [(extent - side) / 2]
    count = int(np.ceil((extent - side) / (side / 2))) + 1
    return [float(x) for x in np.linspace(0, extent - side, count)]


def _view(rgb: U8, square: tuple[float, float, float]) -> U8:
    left, top, side = square
    to_picture = np.array([[side / _SIDE, 0, left], [0, side / _SIDE, top]])
    return sample_square(rgb, to_picture, _SIDE, border=BLACK)


def _anchors() -> F64:
    centres = []
    for cells, count in _GRIDS:
        middle = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(middle, middle), -1).reshape(-1, 2)
        centres.append(np.repeat(grid, count, axis=0))
    return np.concatenate(centres)


def _sigmoid(logits: F32) -> F32:
    return (1 / (1 + np.exp(-np.clip(logits, -80, 80)))).astype(np.float32)
