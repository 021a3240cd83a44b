# SPDX-License-Identifier: Apache-2.0
"""How the lids follow a turning eyeball: pose correctives of the eye joints.

Does not know expressions by themselves: where lids go is told by what the eyeLook keys do.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.spatial.transform import Rotation

from rome_backend.core.types import F64
from rome_backend.open_head.eye_contact import keep_off_eyes
from rome_backend.open_head.geometry import HeadGeometry

LEFT_EYE = 3
EYE_LOOK_DEGREES = 25.0  # what an eyeLook key turns the eyeball by
PITCH_DEGREES = (-30.0, -20.0, -10.0, 0.0, 8.0, 16.0, 24.0, 32.0)
YAW_DEGREES = (-32.0, -20.0, -8.0, 0.0, 8.0, 20.0, 32.0)
# Entries of R - I, row by row, that tell yaw, yaw with pitch, pitch (twice) and yaw; the others
# repeat them. Fewer entries are fewer shape keys.
ENTRIES = (0, 1, 4, 5, 6)
# Those that change their sign in a mirror image.
FLIPPED = (1, 2, 3, 6)
RIDGE = 1e-4
PUSHES = ((1.0, 0.9),) * 3
STILL_M = 1e-6


def eye_correctives(geometry: HeadGeometry, looks: Mapping[str, F64]) -> F64:
    """Return the correctives (V, 3, 18), m per entry of R - I, of the left and the right eye.

    looks: the move (V, 3) m of eyeLookUpLeft, ...DownLeft, ...InLeft and ...OutLeft, which turn
    the eyeball by `EYE_LOOK_DEGREES`. Least squares over turns up to 32 degrees in which the lids
    go along arcs round the eyeball's centre and stay outside the turned cornea. Eyeballs follow
    their joints alone and are not corrected. Source: our own.
    """
    lids = LidMotion(geometry, looks)
    turns = [(pitch, yaw) for pitch in PITCH_DEGREES for yaw in YAW_DEGREES]
    features = [_matrix(*turn).ravel()[list(ENTRIES)] for turn in turns]
    moves = np.array([lids.moved(*turn) for turn in turns])
    moving = np.abs(moves).max(axis=(0, 2)) > STILL_M
    design = np.array(features) - np.eye(3).ravel()[list(ENTRIES)]
    gram = design.T @ design
    gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    columns = np.linalg.solve(gram, design.T @ moves[:, moving].reshape(len(turns), -1))
    left = np.zeros((len(geometry.vertices), 3, 9))
    left[np.ix_(moving, range(3), ENTRIES)] = columns.reshape(len(ENTRIES), -1, 3).transpose(
        1, 2, 0
    )
    right = left[geometry.mirror] * np.array([-1.0, 1.0, 1.0])[:, None]
    right[:, :, FLIPPED] *= -1
    return np.concatenate([left, right], axis=2)


class LidMotion:
    """Where the skin goes when the left eyeball turns.

    looks as of `eye_correctives`.
    """

    def __init__(self, geometry: HeadGeometry, looks: Mapping[str, F64]) -> None:
        self._geometry = geometry
        self._arms = geometry.vertices - geometry.joints[LEFT_EYE]
        self._ball = geometry.regions["left_eyeball"][:, None]
        self._looks = {name: np.where(self._ball, 0.0, move) for name, move in looks.items()}

    def moved(self, pitch: float, yaw: float) -> F64:
        """Return the displacements (V, 3) m of the skin; degrees, positive down and to +X."""
        vertical = "eyeLookDownLeft" if pitch > 0 else "eyeLookUpLeft"
        sideways = "eyeLookOutLeft" if yaw > 0 else "eyeLookInLeft"
        skin = self._part(vertical, abs(pitch)) + self._part(sideways, abs(yaw))
        turned = self._arms @ _matrix(pitch, yaw).T
        whole = skin + self._ball * (turned - self._arms)
        free = keep_off_eyes(self._geometry, whole, PUSHES)
        return np.where(self._ball, 0.0, free)

    def _part(self, look: str, degrees: float) -> F64:
        """Return a look's displacements (V, 3) m of the skin, along arcs, at another angle."""
        delta, value = self._looks[look], degrees / EYE_LOOK_DEGREES
        moving = np.flatnonzero(np.abs(delta).max(axis=1) > STILL_M)
        rest, end = self._arms[moving], self._arms[moving] + delta[moving]
        lengths = [np.linalg.norm(arms, axis=1, keepdims=True) for arms in (rest, end)]
        turn = np.cross(rest / lengths[0], end / lengths[1])
        size = np.linalg.norm(turn, axis=1, keepdims=True)
        angle = value * np.arcsin(np.minimum(size, 1.0))
        arc = Rotation.from_rotvec(angle * turn / np.maximum(size, 1e-12)).apply(rest)
        result = np.zeros_like(delta)
        result[moving] = arc * (1 + value * (lengths[1] / lengths[0] - 1)) - rest
        return result


def _matrix(pitch: float, yaw: float) -> F64:
    return Rotation.from_euler("YX", [yaw, pitch], degrees=True).as_matrix()
