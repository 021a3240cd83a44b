# SPDX-License-Identifier: Apache-2.0
"""Tracks faces: MediaPipe's 478 landmarks with refined lips, eyes and irises.

Does not know photo files, head models or whether a face is good enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from rome_backend.assets.mediapipe import ensure_tracker_models
from rome_backend.core.landmarks import OUTER_EYE_CORNERS
from rome_backend.core.types import F32, F64, U8, TrackedFace
from rome_backend.open_head.mean_face import mirror_landmarks
from rome_backend.tracking.detect import Detection, FaceDetector
from rome_backend.tracking.sampling import sample_square
from rome_backend.tracking.tflite_graph import TfliteGraph

MESH_COUNT = 468
LANDMARK_COUNT = 478
_SIDE = 192
_GROW = 1.5
_CONTOUR = 16
_LEFT_IRIS = slice(468, 473)
_RIGHT_IRIS = slice(473, 478)
_MINIMUM_FLAG = 0.5
SURE = 0.5
_MINIMUM_SCORE = 0.05
_STEADY, _LOOSE = 2.5, 6.0
# Shifts in sides of the region, factor of its side, turn in rad.
_CHANGES = (
    (0.08, 0.0, 1.0, 0.0),
    (-0.08, 0.0, 1.0, 0.0),
    (0.0, 0.08, 1.0, 0.0),
    (0.0, -0.08, 1.0, 0.0),
    (0.0, 0.0, 1.2, 0.0),
    (0.0, 0.0, 0.87, 0.0),
    (0.0, 0.0, 1.0, 0.25),
    (0.0, 0.0, 1.0, -0.25),
)
_FLIP = np.array([-1.0, 1.0, 1.0], np.float32)
_RIGHT = np.array([1.0, 0.0, 0.0], np.float32)
TILES = (1.0, 0.6, 0.34, 0.2)
_ENOUGH_PIXELS = 24


@dataclass(frozen=True)
class Region:
    """A square of the picture that the mesh looks at: centre (2,) f64 px, side px, angle rad
    (clockwise turn of the face in the picture)."""

    centre: F64
    side: float
    angle: float

    def to_picture(self) -> F64:
        """Return the affine (2, 3) from the network's pixels (192) to the picture's."""
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        linear = np.array([[cosine, -sine], [sine, cosine]]) * (self.side / _SIDE)
        return np.column_stack([linear, self.centre - linear @ [_SIDE / 2, _SIDE / 2]])

    def moved(self, right: float, down: float, factor: float, turn: float) -> Region:
        """Return a region shifted by fractions of the side, scaled and turned (rad)."""
        shift = np.array([right, down]) * self.side
        return Region(self.centre + shift, self.side * factor, self.angle + turn)

    def flipped(self, width: int) -> Region:
        """Return the region in the mirror image of a picture of a width in px."""
        centre = np.array([width - self.centre[0], self.centre[1]])
        return Region(centre, self.side, -self.angle)


class FaceTracker:
    """Finds faces and their landmarks in pictures.

    Source: the graph ``face_landmark_front`` of MediaPipe 0.10.21 (detector, region, attention
    mesh, refinement of landmarks), re-implemented. A second pass with the region taken from the
    first pass's landmarks, the mean over many regions, and the search over tiles, are our own.
    """

    def __init__(self, models: Path | None = None) -> None:
        """Load the networks from the folder `models`, by default ensure_tracker_models()."""
        folder = models or ensure_tracker_models()
        self._detector = FaceDetector(folder / "face_detection_short_range.tflite")
        self._mesh = TfliteGraph(folder / "face_landmark_with_attention.tflite")
        subsets = [o["subset_idxs"] for o in self._mesh.options["Landmarks2TransformMatrix"]]
        self._twin = mirror_landmarks()
        self._lips, self._left_eye, self._right_eye = (np.array(s) for s in subsets)

    def track(self, rgb: U8, tiles: Sequence[float] = TILES) -> list[TrackedFace]:
        """Return the faces of `rgb` (H, W, 3) sRGB, largest first; empty when there is none.

        Tiles of each fraction of the longer side are searched until a sure face is found, and once
        more for smaller ones beside it. Scores are those of `confirm`; unsure faces are returned
        only when there is no sure one.
        """
        sure: list[TrackedFace] = []
        unsure: list[TrackedFace] = []
        for tile in tiles:
            if min(rgb.shape[:2]) < _ENOUGH_PIXELS or max(rgb.shape[:2]) * tile < _ENOUGH_PIXELS:
                break
            last = bool(sure)
            for found in self._detector.detect(rgb, tile):
                if not any(_covers(face, found.centre) for face in sure):
                    face = self._face(rgb, found)
                    (sure if face.score >= SURE else unsure).append(face)
            if last:
                break
        credible = [face for face in unsure if face.score >= _MINIMUM_SCORE]
        return _without_doubles(sure or credible)

    def follow(self, rgb: U8, previous: TrackedFace) -> TrackedFace:
        """Return the face of `rgb` near its landmarks in the previous frame of a clip.

        The network's own score tells whether it is still there; the detector is not run.
        """
        return self.look(rgb, [region_of_landmarks(previous.landmarks)])[0]

    def confirm(self, rgb: U8, face: TrackedFace) -> TrackedFace:
        """Return `face` with a score that tells how surely it is a human face.

        The network looks again through regions that are shifted, scaled and turned a little. Real
        faces are seen each time and keep their landmarks within 2.5 % of the inter-ocular distance;
        what merely resembles a face is not, and does not. Our own measure.
        """
        region = region_of_landmarks(face.landmarks)
        views = self.look(rgb, [region.moved(*change) for change in _CHANGES])
        points = np.stack([view.landmarks[:, :2] for view in views])
        spread = np.linalg.norm(points - points.mean(0), axis=2).mean()
        right, left = face.landmarks[list(OUTER_EYE_CORNERS)]
        percent = 100 * spread / max(float(np.linalg.norm(left - right)), 1e-6)
        steadiness = np.clip((_LOOSE - percent) / (_LOOSE - _STEADY), 0, 1)
        return TrackedFace(face.landmarks, min(view.score for view in views) * float(steadiness))

    def look(self, rgb: U8, regions: Sequence[Region]) -> list[TrackedFace]:
        """Return the landmarks that the network sees in each region of `rgb` (H, W, 3)."""
        views = [sample_square(rgb, region.to_picture(), _SIDE) for region in regions]
        images = np.stack(views).astype(np.float32) / np.float32(255)
        result = self._mesh(torch.from_numpy(images))
        outputs = {name: value.numpy().reshape(len(regions), -1) for name, value in result.items()}
        faces = []
        for index, region in enumerate(regions):
            to_picture = region.to_picture()
            points = self._merge({name: value[index] for name, value in outputs.items()})
            xy = points[:, :2] @ to_picture[:, :2].T + to_picture[:, 2]
            z = points[:, 2:] * (region.side / _SIDE)
            flag = float(np.clip(outputs["conv_faceflag"][index, 0], -80, 80))
            landmarks = np.concatenate([xy, z], 1).astype(np.float32)
            faces.append(TrackedFace(landmarks, 1 / (1 + math.exp(-flag))))
        return faces

    def _face(self, rgb: U8, found: Detection) -> TrackedFace:
        first = self.look(rgb, [region_of_detection(found)])[0]
        face = self.look(rgb, [region_of_landmarks(first.landmarks)])[0]
        if face.score < _MINIMUM_FLAG:
            return face
        confirmed = self.confirm(rgb, face)
        return self.settled(rgb, confirmed) if confirmed.score >= SURE else confirmed

    def settled(self, rgb: U8, face: TrackedFace) -> TrackedFace:
        """Return `face` with the mean of the landmarks seen through 18 regions.

        Those of `confirm` and the face's own, in the picture and in its mirror image: what the
        network answers depends a little on where a face lies before it, and that part is not the
        face. Our own.
        """
        width = rgb.shape[1]
        region = region_of_landmarks(face.landmarks)
        regions = [region, *(region.moved(*change) for change in _CHANGES)]
        points = [view.landmarks for view in self.look(rgb, regions)]
        flipped = [part.flipped(width) for part in regions]
        for view in self.look(np.ascontiguousarray(rgb[:, ::-1]), flipped):
            points.append(view.landmarks[self._twin] * _FLIP + _RIGHT * width)
        mean = np.stack(points).mean(axis=0, dtype=np.float64)
        return TrackedFace(mean.astype(np.float32), face.score)

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
    right, left = landmarks[list(OUTER_EYE_CORNERS), :2].astype(np.float64)
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
        if not any(_covers(other, centre) for other in kept):
            kept.append(face)
    return kept


def _covers(face: TrackedFace, point: F32 | F64) -> bool:
    """Return whether a point (2,) lies within half the face's extent of its middle."""
    middle = face.landmarks[:MESH_COUNT, :2].mean(0)
    return bool(np.linalg.norm(point - middle) < face_extent(face.landmarks) / 2)
