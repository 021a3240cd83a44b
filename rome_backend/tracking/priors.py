# SPDX-License-Identifier: Apache-2.0
"""What the face fit believes before it sees a photo: noise and priors.

Does not know any head model or photo; plain numbers and functions of the head's turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rome_backend.core.types import F64

# Keys that mean the same as a joint of the jaw or the eyes, or that no landmark tells: the fit
# holds them at zero.
HELD_KEYS = ("jawOpen", "eyeLook", "tongueOut")
IRIS_START = 468

# Landmarks on bone, which expressions hardly move (our own choice).
RIGID = np.array(
    [10, 151, 9, 8, 168, 6, 197, 33, 263, 133, 362, 127, 356, 234, 454, 93, 323]
    + [67, 297, 103, 332, 21, 251, 54, 284, 116, 345]
)

# Upper and lower landmark of each lid (right eye, left eye) and lip opening, middle first.
LID_PAIRS = ((159, 145), (158, 153), (160, 144), (386, 374), (385, 380), (387, 373))
LIP_PAIRS = ((13, 14), (82, 87), (312, 317), (81, 178), (311, 402))


@dataclass(frozen=True)
class FitPrior:
    """Numbers of the face fit; lengths in metres, angles in degrees, keys in their own units.

    Landmark errors are correlated between neighbours, so the sigmas stand for the information
    of a whole patch and are larger than the jitter of one landmark.
    """

    #: Standard deviation across the view of a landmark that faces the camera.
    sigma_xy: float = 0.0026
    #: Standard deviation along the view near frontal; the tracker guesses depth.
    sigma_z: float = 0.0060
    #: Relative growth of ``sigma_z`` per 45 degrees of yaw.
    sigma_z_yaw: float = 1.0
    #: Standard deviation of a lid or lip opening, which neighbours' errors do not touch.
    sigma_gap: float = 0.0002
    #: The same two when camera and expression are refitted to the picture, identity held.
    sigma_refined: float = 0.0010
    sigma_z_refined: float = 0.0200
    #: Openings of about this size are shut; how many times more they count then.
    shut: float = 0.0010
    firmness: float = 10.0
    #: Standard deviation of an expression key.
    expression: float = 0.35
    #: Largest value of an expression key.
    expression_max: float = 1.3
    #: Standard deviation and largest value of the jaw opening.
    jaw: float = 10.0
    jaw_max: float = 35.0
    #: Standard deviation of left-right asymmetry of the identity, frontal and fully turned.
    asymmetry: float = 0.0015
    asymmetry_turned: float = 0.0004
    #: Standard deviation of left minus right expression key when fully turned.
    expression_asymmetry_turned: float = 0.15
    #: Yaw from which hidden halves count as fully turned.
    turned_yaw: float = 35.0


def turned_share(yaw: float, prior: FitPrior) -> float:
    """Return 0 near frontal (up to 10 degrees of yaw) rising to 1 at ``prior.turned_yaw``."""
    return float(np.clip((abs(yaw) - 10.0) / (prior.turned_yaw - 10.0), 0.0, 1.0))


def facing_weights(normals: F64, rotation: F64) -> F64:
    """Return how far each landmark (L,) can be trusted, 0.03 .. 1, from its facing.

    normals (L, 3) unit, head space; rotation (3, 3) head to view. Landmarks that face away are
    guessed by the tracker and slide along the visible contour.
    """
    return np.clip(1.5 * (normals @ rotation[2]) + 0.2, 0.03, 1.0)
