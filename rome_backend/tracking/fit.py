# SPDX-License-Identifier: Apache-2.0
"""Fit a head model to face landmarks: camera, identity, expression, jaw and gaze.

Does not know how landmarks are found, nor torch.

Maximum a posteriori by Gauss-Newton steps in which pose, identity (Gaussian), expression keys
(ridge, bounded), jaw and the tracker's own errors compete for every landmark (our own), seen from
afar as the tracker reports them. The pose before a pinhole camera and the expression are then
refitted to the picture, the identity held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rome_backend.core.landmarks import LANDMARKS_105, interocular_distance
from rome_backend.core.rotations import yaw_pitch_roll_degrees
from rome_backend.core.types import F32, F64, FaceFit, FlameParams, HeadModel
from rome_backend.open_head.mean_face import mean_face, mirror_landmarks
from rome_backend.tracking.gaze import eye_radius, eye_rotations, iris_travel
from rome_backend.tracking.identity import bounded_identity, joined_identity
from rome_backend.tracking.landmark_model import landmark_model
from rome_backend.tracking.lens import UNKNOWN, Lens, likeliest_distance
from rome_backend.tracking.map_solver import FaceState, MapSolver
from rome_backend.tracking.pose_estimate import HeadPose, procrustes, view_from_pixels
from rome_backend.tracking.priors import (
    RIGID,
    FitPrior,
    facing_weights,
)

_LANDMARKS = 478
_IDENTITY_STEPS = 5
_REFINE_STEPS = 4
_TRACK_STEPS = 4
_IRIS_TRUST = 0.95


class FaceFitter:
    """Fits one head model to landmarks of photos and clips. Deterministic.

    Args:
        head: any head model with MediaPipe landmarks and ARKit expression names.
        prior: noise and priors.
    """

    def __init__(self, head: HeadModel, prior: FitPrior | None = None) -> None:
        self.head = head
        self._prior = prior or FitPrior()
        self._mean = mean_face()
        self._model = landmark_model(head, self._mean, mirror_landmarks())
        self._solver = MapSolver(self._model, self._prior)
        self._radius, self._travel = eye_radius(head), iris_travel(head)
        self._neutral = FaceState(
            HeadPose(1.0, np.eye(3), np.zeros(3)),
            np.zeros(head.shape_dirs.shape[2]),
            np.zeros(len(self._model.active)),
            0.0,
        )
        measured = np.isin(self._model.indices, LANDMARKS_105)
        self._measured = np.flatnonzero(measured)
        self._importance = np.where(measured, 1.0, 0.4)

    def fit(self, landmarks: F32 | F64, lens: Lens = UNKNOWN) -> FaceFit:
        """Fit one face to landmarks (478, 3) px (z in px, smaller is nearer).

        The identity is the likeliest one, cautious by what a photo can tell at its yaw; the pose is
        the head's to the camera. lens: what is known of it, in px of the same picture.
        Raises ValueError for another shape, numbers that are not finite, or coinciding eyes; so
        do ``fit_shared`` and ``track``.
        """
        view = _checked_view(landmarks)
        return self._result(self._refined(self._identity(view, lens)[0], view), view)

    def fit_shared(
        self, landmarks: Sequence[F32 | F64], lenses: Sequence[Lens] = ()
    ) -> list[FaceFit]:
        """Fit several photos of one person: one identity, camera and expression per photo.

        landmarks: a sequence of (478, 3) px; lenses: as many, or none if nothing is known.
        Photos count by what they tell. One photo is the same as ``fit``; an empty sequence gives
        an empty list.
        """
        lenses = lenses or [UNKNOWN] * len(landmarks)
        if len(landmarks) < 2:
            return [self.fit(*photo) for photo in zip(landmarks, lenses, strict=True)]
        views = [_checked_view(points) for points in landmarks]
        found = [self._identity(*photo) for photo in zip(views, lenses, strict=True)]
        states = [state for state, _ in found]
        shape = joined_identity([state.shape for state in states], [sure for _, sure in found])
        states = [replace(state, shape=shape) for state in states]
        return [
            self._result(self._refined(state, view), view)
            for state, view in zip(states, views, strict=True)
        ]

    def track(self, landmarks: F32 | F64, previous: FaceFit) -> FaceFit:
        """Fit the next frame (478, 3) px of a clip: the identity of ``previous`` stays.

        Starts from the previous expression, so a few milliseconds are enough; the pose is found
        anew, so the head may jump.
        """
        view = _checked_view(landmarks)
        model = self._model
        state = FaceState(
            self._neutral.pose,
            previous.params.shape,
            previous.params.expression[model.active],
            float(previous.params.jaw[0]),
        )
        points = model.points(state.shape, state.expression, state.jaw)
        pose = procrustes(points, view[model.indices], np.ones(len(points)))
        pose = replace(pose, distance=previous.distance * previous.scale / pose.scale)
        return self._result(self._refined(replace(state, pose=pose), view, _TRACK_STEPS), view)

    def _identity(self, view: F64, lens: Lens) -> tuple[FaceState, F64]:
        """Return one face's pose, identity and expression, and how sure (S, S) the identity is."""
        model, prior = self._model, self._prior
        seen = view[model.indices]
        rigid = model.rows(RIGID)
        weights = np.full(len(seen), 0.05 if len(rigid) > 12 else 1.0)
        weights[rigid] = 1.0
        template = model.points(self._neutral.shape, self._neutral.expression, 0.0)
        state = replace(self._neutral, pose=procrustes(template, seen, weights))
        for _ in range(_IDENTITY_STEPS):
            state = self._gazing(state, view, refined=False)
            yaw = _yaw(state)
            trust = facing_weights(model.normals, state.pose.rotation) ** 2
            deep = prior.sigma_z * (1 + prior.sigma_z_yaw * abs(yaw) / 45)
            noise = np.array([prior.sigma_xy, prior.sigma_xy, deep])
            weights = trust[:, None] / noise**2
            state = self._solver.step(state, seen, weights, yaw, True)
        precision = self._solver.shape_precision(state, seen, weights, yaw)
        away = likeliest_distance(lens, state.pose.scale)
        state = replace(state, pose=replace(state.pose, distance=away))
        return replace(state, shape=bounded_identity(state.shape)), precision

    def _refined(self, state: FaceState, view: F64, steps: int = _REFINE_STEPS) -> FaceState:
        """Return the state with pose and expression refitted to the picture, identity held."""
        model, prior = self._model, self._prior
        seen = view[model.indices]
        for _ in range(steps):
            state = self._gazing(state, view)
            points = model.points(state.shape, state.expression, state.jaw, eyes=state.eyes)
            error = (seen - state.pose.to_view(points))[:, :2] / state.pose.scale
            # the mean distance counts, not its square: far-off landmarks pull less
            distance = np.maximum(np.linalg.norm(error, axis=1), 0.3 * prior.sigma_refined)
            trust = self._importance * facing_weights(model.normals, state.pose.rotation)
            across = trust / (prior.sigma_refined * distance)
            weights = np.stack([across, across, trust / prior.sigma_z_refined**2], axis=1)
            state = self._solver.step(state, seen, weights, _yaw(state), False)
        return self._gazing(state, view)

    def _gazing(self, state: FaceState, view: F64, refined: bool = True) -> FaceState:
        """Return the state with its eyes turned to where the irises are; the lids follow them.

        refined: until the irises of the mesh stand there; otherwise cautiously.
        """
        pose = state.pose
        how = (self._travel, _IRIS_TRUST) if refined else (self._radius,)
        eyes = eye_rotations(view, pose.rotation, pose.scale, self._mean, *how)
        return replace(state, eyes=eyes)

    def _result(self, state: FaceState, view: F64) -> FaceFit:
        model, pose = self._model, state.pose
        expression = np.zeros(len(self.head.expression_names))
        expression[model.active] = state.expression
        params = FlameParams(
            shape=state.shape,
            expression=expression,
            jaw=np.array([state.jaw, 0.0, 0.0]),
            eyes=state.eyes,
        )
        yaw, pitch, roll = yaw_pitch_roll_degrees(pose.rotation)
        return FaceFit(
            params=params,
            scale=pose.scale,
            rotation=pose.rotation,
            translation=pose.translation[:2] * np.array([1.0, -1.0]),
            yaw=yaw,
            pitch=pitch,
            roll=roll,
            residual=self._residual(state, view),
            distance=pose.distance,
        )

    def _residual(self, state: FaceState, view: F64) -> float:
        """Return the mean distance of the measured landmarks on the mesh, % inter-ocular."""
        model, rows = self._model, self._measured
        points = model.points(
            state.shape, state.expression, state.jaw, biased=False, eyes=state.eyes
        )
        error = state.pose.to_view(points)[rows, :2] - view[model.indices[rows], :2]
        return float(100 * np.linalg.norm(error, axis=1).mean() / interocular_distance(view))


def _checked_view(landmarks: F32 | F64) -> F64:
    """Return landmarks (478, 3) px in view axes; raise ValueError if they cannot be a face."""
    if np.shape(landmarks) != (_LANDMARKS, 3) or not np.isfinite(landmarks).all():
        raise ValueError(f"landmarks must be ({_LANDMARKS}, 3) finite px")
    if not interocular_distance(landmarks) > 0:
        raise ValueError("the outer eye corners coincide")
    return view_from_pixels(landmarks)


def _yaw(state: FaceState) -> float:
    return yaw_pitch_roll_degrees(state.pose.rotation)[0]
