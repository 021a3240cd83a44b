# SPDX-License-Identifier: Apache-2.0
"""Tracks faces: MediaPipe's 478 landmarks with refined lips, eyes and irises.

Does not know photo files, head models or whether a face is good enough.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from rome_backend.assets.mediapipe import ensure_tracker_models
from rome_backend.core.types import F32, F64, U8, TrackedFace
from rome_backend.tracking.detect import Detection, FaceDetector
from rome_backend.tracking.tflite_graph import TfliteGraph

MESH_COUNT = 468
LANDMARK_COUNT = 478
_SIDE = 192
_GROW = 1.5
_CONTOUR = 16
_LEFT_IRIS = slice(468, 473)
_RIGHT_IRIS = slice(473, 478)
_OUTER_EYE_CORNERS = (33, 263)
_MINIMUM_SCORE = 0.5
_TILES = (1.0, 0.6, 0.34, 0.2)
_ENOUGH_PIXELS = 24


@dataclass(frozen=True)
class Region:
    """A square of the picture that the mesh looks at: centre (2,) f64 px, side px, angle rad
    (clockwise turn of the face in the picture)."""

    centre: F64
    side: float
    angle: float

    def to_picture(self) -> F64:
        """Return the affine (2, 3) from the network's pixels (192, outer corners) to the picture."""
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        linear = np.array([[cosine, -sine], [sine, cosine]]) * (self.side / _SIDE)
        return np.column_stack([linear, self.centre - linear @ [_SIDE / 2, _SIDE / 2]])


class FaceTracker:
    """Finds faces and their landmarks in pictures.

    Source: the graph ``face_landmark_front`` of MediaPipe 0.10.21 (detector, region, attention
    mesh, refinement of landmarks), re-implemented. A second pass with the region taken from the
    first pass's landmarks, and the search over tiles, are our own.
    """

    def __init__(self, models: Path | None = None) -> None:
        """Load the networks from the folder `models`, by default ensure_tracker_models()."""
        folder = models or ensure_tracker_models()
        self._detector = FaceDetector(folder / "face_detection_short_range.tflite")
        self._mesh = TfliteGraph(folder / "face_landmark_with_attention.tflite")
        subsets = [o["subset_idxs"] for o in self._mesh.options["Landmarks2TransformMatrix"]]
        self._lips, self._left_eye, self._right_eye = (np.array(s) for s in subsets)

    def track(self, rgb: U8) -> list[TrackedFace]:
        """Return the faces of `rgb` (H, W, 3) sRGB, largest first; empty when there is none.

        The whole picture is searched first; tiles of it only while no face was found.
        """
        for tile in _TILES:
            if min(rgb.shape[:2]) < _ENOUGH_PIXELS or max(rgb.shape[:2]) * tile < _ENOUGH_PIXELS:
                break
            faces = [self._face(rgb, found) for found in self._detector.detect(rgb, tile)]
            good = _without_doubles([face for face in faces if face.score >= _MINIMUM_SCORE])
            if good:
                return good
        return []

    def follow(self, rgb: U8, previous: TrackedFace) -> TrackedFace:
        """Return the face of `rgb` near its landmarks in the previous frame of a clip.

        The score tells whether it is still there; the detector is not run.
        """
        return self.look(rgb, region_of_landmarks(previous.landmarks))

    def look(self, rgb: U8, region: Region) -> TrackedFace:
        """Return the landmarks that the network sees in one region of `rgb` (H, W, 3)."""
        to_picture = region.to_picture()
        image = _sample(rgb, to_picture)
        result = self._mesh(torch.from_numpy(image)[None])
        outputs = {name: value.numpy().reshape(-1) for name, value in result.items()}
        points = self._merge(outputs)
        xy = points[:, :2] @ to_picture[:, :2].T + to_picture[:, 2]
        z = points[:, 2:] * (region.side / _SIDE)
        flag = float(np.clip(outputs["conv_faceflag"][0], -100, 100))
        landmarks = np.concatenate([xy, z], 1).astype(np.float32)
        return TrackedFace(landmarks, 1 / (1 + math.exp(-flag)))

    def _face(self, rgb: U8, found: Detection) -> TrackedFace:
        first = self.look(rgb, region_of_detection(found))
        return self.look(rgb, region_of_landmarks(first.landmarks))

    def _merge(self, outputs: dict[str, F32]) -> F64:
        """Return (478, 3) in the network's pixels: refined x and y, the iris at its eye's depth.

        Source: MediaPipe's LandmarksRefinementCalculator with the options of its attention graph;
        the index lists of lips and eyes are those inside the network's own operators.
        """
        points = np.zeros((LANDMARK_COUNT, 3))
        points[:MESH_COUNT] = outputs["output_mesh_identity"].reshape(MESH_COUNT, 3)
        points[self._lips, :2] = outputs["output_lips"].reshape(-1, 2)
        points[self._left_eye, :2] = outputs["output_left_eye"].reshape(-1, 2)
        points[self._right_eye, :2] = outputs["output_right_eye"].reshape(-1, 2)
        points[_LEFT_IRIS, :2] = outputs["output_left_iris"].reshape(-1, 2)
        points[_RIGHT_IRIS, :2] = outputs["output_right_iris"].reshape(-1, 2)
        points[_LEFT_IRIS, 2] = points[self._left_eye[:_CONTOUR], 2].mean()
        points[_RIGHT_IRIS, 2] = points[self._right_eye[:_CONTOUR], 2].mean()
        return points


def region_of_detection(found: Detection) -> Region:
    """Return the square of 1.5 times the detected box, upright between its eyes."""
    across = found.keypoints[1] - found.keypoints[0]
    angle = math.atan2(across[1], across[0])
    return Region(found.centre, float(found.size.max()) * _GROW, angle)


def region_of_landmarks(landmarks: F32) -> Region:
    """Return the square of 1.5 times the box of landmarks (478, 3) px in the face's own axes."""
    right, left = landmarks[list(_OUTER_EYE_CORNERS), :2].astype(np.float64)
    angle = math.atan2(left[1] - right[1], left[0] - right[0])
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    upright = landmarks[:, :2].astype(np.float64) @ turn
    low, high = upright.min(0), upright.max(0)
    return Region(turn @ ((low + high) / 2), float((high - low).max()) * _GROW, angle)


def face_extent(landmarks: F32) -> float:
    """Return the longer side of the box round landmarks (478, 3), px."""
    return float(np.ptp(landmarks[:MESH_COUNT, :2], axis=0).max())


def _without_doubles(faces: list[TrackedFace]) -> list[TrackedFace]:
    """Return the faces largest first, leaving out any whose centre lies inside a larger one."""
    kept: list[TrackedFace] = []
    for face in sorted(faces, key=lambda face: -face_extent(face.landmarks)):
        centre = face.landmarks[:MESH_COUNT, :2].mean(0)
        inside = [
            np.linalg.norm(centre - other.landmarks[:MESH_COUNT, :2].mean(0))
            < face_extent(other.landmarks) / 2
            for other in kept
        ]
        if not any(inside):
            kept.append(face)
    return kept


def _sample(rgb: U8, to_picture: F64) -> F32:
    """Return the region as (192, 192, 3) f32 in [0, 1]; beyond the border pixels are repeated."""
    step = math.hypot(to_picture[0, 0], to_picture[1, 0])
    low, high = _bounds(rgb, to_picture)
    part = rgb[low[1] : high[1], low[0] : high[0]]
    shrink = max(1.0, step)
    if shrink > 1.5:
        size = [max(1, round(n / shrink)) for n in (part.shape[1], part.shape[0])]
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    scale = np.array([part.shape[1], part.shape[0]]) / (high - low)
    matrix = (to_picture - np.column_stack([np.zeros((2, 2)), low])) * scale[:, None]
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    image = cv2.warpAffine(
        part, matrix, (_SIDE, _SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return image.astype(np.float32) / np.float32(255)


def _bounds(rgb: U8, to_picture: F64) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners (x, y) of the part of the picture that a region touches, never empty."""
    corners = np.array([[0, 0], [_SIDE, 0], [0, _SIDE], [_SIDE, _SIDE]])
    places = corners @ to_picture[:, :2].T + to_picture[:, 2]
    extent = np.array([rgb.shape[1], rgb.shape[0]])
    low = np.clip(np.floor(places.min(0)).astype(int) - 2, 0, extent - 1)
    high = np.clip(np.ceil(places.max(0)).astype(int) + 2, low + 1, extent)
    return low, high
