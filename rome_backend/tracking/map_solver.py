# SPDX-License-Identifier: Apache-2.0
"""One Gauss-Newton step of the face fit: pose, identity, expression and jaw together.

Does not know photos or how often it is called; it sees residuals, weights and priors.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from rome_backend.core.rotations import yaw_pitch_roll_degrees
from rome_backend.core.types import F64, Mask
from rome_backend.tracking.bounded import solve_bounded
from rome_backend.tracking.landmark_model import LandmarkModel
from rome_backend.tracking.pose_estimate import HeadPose
from rome_backend.tracking.priors import (
    LID_PAIRS,
    LIP_PAIRS,
    FitPrior,
    facing_weights,
    turned_share,
)
from rome_backend.tracking.tracker_errors import error_modes, no_errors, tracker_bias

_POSE = 7


@dataclass(frozen=True)
class FaceState:
    """The unknowns of a fit: pose, shape (S,), active expression keys (A,), jaw opening in rad,
    and how the tracker errs in this photo: (M,) coefficients of its error modes. eyes (2, 3):
    their turns, axis-angle rad, which steps leave alone."""

    pose: HeadPose
    shape: F64
    expression: F64
    jaw: float
    error: F64 = field(default_factory=no_errors)
    eyes: F64 = field(default_factory=lambda: np.zeros((2, 3)))


class MapSolver:
    """Maximum a posteriori steps for one head model.

    Args:
        model: the head model at its landmarks.
        prior: noise and priors.
    """

    def __init__(self, model: LandmarkModel, prior: FitPrior) -> None:
        self.model = model
        self.prior = prior
        pairs = [model.rows(pair) for pair in LID_PAIRS + LIP_PAIRS]
        self._pairs = np.array([pair for pair in pairs if len(pair) == 2]).reshape(-1, 2)
        self._modes = error_modes()[model.indices]
        known = np.flatnonzero(model.mirror >= 0)
        flipped = model.shape[model.mirror[known]] * np.array([-1.0, 1.0, 1.0])[None, :, None]
        skew = (model.shape[known] - flipped).reshape(3 * len(known), -1)
        self._skew_energy = skew.T @ skew / max(len(known), 1)

    def step(
        self, state: FaceState, view: F64, weights: F64, yaw: float, fit_shape: bool
    ) -> FaceState:
        """Return the state after one step.

        view (L, 3) px in view axes; weights (L, 3): inverse variance per view axis, 1/m^2;
        yaw in degrees decides the symmetry priors; fit_shape False holds the identity and takes
        the tracker's word, True allows for how it errs at this turn of the head.
        """
        model, prior = self.model, self.prior
        matrix, right = self._system(state, view, weights, yaw, fit_shape)
        free = len(matrix) - len(model.active) - 1
        low = -np.append(state.expression, state.jaw)
        top = np.append(np.full(len(model.active), prior.expression_max), np.radians(prior.jaw_max))
        x = solve_bounded(matrix, right, free, low, top + low)
        middle = free - len(state.error) if fit_shape else free
        shape = state.shape + x[_POSE:middle] if fit_shape else state.shape
        error = state.error + x[middle:free] if fit_shape else state.error
        pose = state.pose.stepped(x[:3], float(x[3]), x[4:7])
        expression = np.clip(state.expression + x[free:-1], 0.0, prior.expression_max)
        return replace(
            state,
            pose=pose,
            shape=shape,
            expression=expression,
            jaw=float(state.jaw + x[-1]),
            error=error,
        )

    def shape_precision(self, state: FaceState, view: F64, weights: F64, yaw: float) -> F64:
        """Return the precision (S, S) of the shape after a fit, its prior included.

        What pose, expression, jaw and the tracker's errors explain as well is not counted.
        Arguments as of `step`.
        """
        matrix, _ = self._system(state, view, weights, yaw, True)
        rows = np.arange(_POSE, _POSE + len(state.shape))
        others = np.setdiff1d(np.arange(len(matrix)), rows)
        cross = matrix[np.ix_(others, rows)]
        reduced = matrix[np.ix_(rows, rows)]
        return reduced - cross.T @ np.linalg.solve(matrix[np.ix_(others, others)], cross)

    def prior_precision(self, yaw: float) -> F64:
        """Return the precision (S, S) of the shape before a photo turned by yaw degrees is seen."""
        turned = turned_share(yaw, self.prior)
        log_sigma = np.log([self.prior.asymmetry, self.prior.asymmetry_turned])
        sigma = np.exp(log_sigma[0] * (1 - turned) + log_sigma[1] * turned)
        return np.eye(len(self._skew_energy)) + self._skew_energy / sigma**2

    def _system(
        self, state: FaceState, view: F64, weights: F64, yaw: float, fit_shape: bool
    ) -> tuple[F64, F64]:
        """Return the normal equations (n, n), (n,) of a step."""
        residual, columns = self._linearised(state, view, fit_shape)
        rows, target = self._weighted(residual, columns, weights)
        if len(self._pairs):
            gain = self._gap_gain(state.pose, view, weights[:, 1] > 0, firm=not fit_shape)
            more, aim = self._gaps(residual, columns, gain)
            rows, target = np.concatenate([rows, more]), np.concatenate([target, aim])
        precision, centre = self._prior_terms(state, yaw, fit_shape)
        return rows.T @ rows + precision, rows.T @ target - precision @ centre

    def _linearised(self, state: FaceState, view: F64, fit_shape: bool) -> tuple[F64, F64]:
        """Return residuals (L, 3) m in view axes and the Jacobian's columns (L, n, 3)."""
        model, pose = self.model, state.pose
        points = model.points(state.shape, state.expression, state.jaw, eyes=state.eyes)
        if fit_shape:
            yaw, pitch, _ = yaw_pitch_roll_degrees(pose.rotation)
            points = points + tracker_bias(yaw, pitch)[model.indices] + self._modes @ state.error
        turned = points @ pose.rotation.T
        seen = (view - pose.translation) / pose.scale
        residual = seen - turned
        residual[:, :2] -= seen[:, :2] * turned[:, 2:] / pose.distance
        jaw = model.jaw_column(state.shape, state.expression, state.jaw)
        moved = [model.shape, self._modes] if fit_shape else []
        moved += [model.expression, jaw[:, :, None]]
        body = np.concatenate(moved, axis=2).transpose(0, 2, 1) @ pose.rotation.T
        axes = np.broadcast_to(np.eye(3), (len(points), 3, 3))
        turns = np.cross(axes, turned[:, None, :])
        # what comes nearer to the camera moves outwards
        for moving in (turns, body):
            moving[:, :, :2] += moving[:, :, 2:] * (seen[:, None, :2] / pose.distance)
        return residual, np.concatenate([turns, turned[:, None, :], axes, body], axis=1)

    def _weighted(self, residual: F64, columns: F64, weights: F64) -> tuple[F64, F64]:
        """Return whitened rows (3 L, n) and targets (3 L,) of the landmarks."""
        root = np.sqrt(weights)
        rows = (columns * root[:, None, :]).transpose(0, 2, 1).reshape(-1, columns.shape[1])
        return rows, (residual * root).ravel()

    def _gaps(self, residual: F64, columns: F64, gain: F64) -> tuple[F64, F64]:
        """Return whitened rows (G, n) and targets (G,) of the lid and lip openings; gain (G,)."""
        up, low = self._pairs.T
        rows = (columns[up, :, 1] - columns[low, :, 1]) * gain[:, None]
        return rows, (residual[up, 1] - residual[low, 1]) * gain

    def _gap_gain(self, pose: HeadPose, view: F64, counted: Mask, firm: bool) -> F64:
        """Return the inverse standard deviation (G,) 1/m of each opening.

        Openings are seen in the picture plane, as surely as the less visible of the two, and
        however far both lids or lips are from where keys can take them. counted (L,): landmarks
        that have any weight. firm: what is shut stays shut, even where the mouth is misplaced.
        """
        up, low = self._pairs.T
        facing = facing_weights(self.model.normals, pose.rotation)
        gain = np.minimum(facing[up], facing[low]) / facing.max() / self.prior.sigma_gap
        gain = gain * (counted[up] & counted[low])
        if not firm:
            return gain
        apart = np.abs(view[up, 1] - view[low, 1]) / pose.scale / self.prior.shut
        return gain * np.sqrt(1 + (self.prior.firmness - 1) * np.exp(-(apart**2)))

    def _prior_terms(self, state: FaceState, yaw: float, fit_shape: bool) -> tuple[F64, F64]:
        """Return the prior's precision (n, n) and the current values (n,) relative to its mean."""
        prior, model = self.prior, self.model
        turned = turned_share(yaw, prior)
        keys = np.eye(len(model.active)) / prior.expression**2
        single = model.pairs == np.arange(len(model.pairs))
        skew = np.eye(len(model.active))[~single]
        skew = skew - np.eye(len(model.active))[model.pairs[~single]]
        # every pair is listed twice, hence the half
        keys += 0.5 * turned / prior.expression_asymmetry_turned**2 * (skew.T @ skew)
        blocks = [np.zeros((_POSE, _POSE))]
        values = [np.zeros(_POSE)]
        if fit_shape:
            blocks.append(self.prior_precision(yaw))
            values.append(state.shape)
            blocks.append(np.eye(len(state.error)))
            values.append(state.error)
        blocks += [keys, np.array([[1 / np.radians(prior.jaw) ** 2]])]
        values += [state.expression, np.array([state.jaw])]
        return _block_diagonal(blocks), np.concatenate(values)


def _block_diagonal(blocks: list[F64]) -> F64:
    size = sum(len(block) for block in blocks)
    matrix = np.zeros((size, size))
    start = 0
    for block in blocks:
        matrix[start : start + len(block), start : start + len(block)] = block
        start += len(block)
    return matrix
