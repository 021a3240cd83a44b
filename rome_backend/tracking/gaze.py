# SPDX-License-Identifier: Apache-2.0
"""Where the eyes look: eyeball rotations from the iris landmarks.

Does not know expressions or identities beyond the size of the eyeballs.

The iris centre is read relative to the middle of its eye's corners, compared with the mean face
(whose subjects look into the camera's direction of the head), and divided by the eyeball's radius.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import F64, JOINTS, HeadModel

# Iris centre and the corners of its eye, subject's left first as in FlameParams.eyes.
_EYES = ((473, 362, 263), (468, 33, 133))
_LIMITS = np.radians([35.0, 25.0])
# Irises are found to about 0.4 mm; gaze is seldom far off centre.
_SHRINK = 0.85


def eye_radius(head: HeadModel) -> float:
    """Return the mean radius in m of the two eyeballs of a head model.

    Without eyeball regions an adult's 12 mm.
    """
    radii = []
    for side in ("left", "right"):
        region = head.regions.get(f"{side}_eyeball")
        if region is None or not region.any():
            return 0.012
        joint = head.joint_regressor[JOINTS.index(f"{side}_eye")] @ head.template
        radii.append(np.median(np.linalg.norm(head.template[region] - joint, axis=1)))
    return float(np.mean(radii))


def eye_rotations(view: F64, rotation: F64, scale: float, mean_face: F64, radius: float) -> F64:
    """Return axis-angle rotations (2, 3) rad, left eye then right.

    view (478, 3) px in view axes; rotation (3, 3) head to view; scale px/m; mean_face (478, 3) m;
    radius m. The eyes turn together: their mean, weighted by how frontal each is seen, bounded by
    what eyes can do. Zero for landmarks without irises or a face seen from the side.
    """
    flat = rotation[:2, :2]
    if len(view) <= _EYES[0][0] or abs(np.linalg.det(flat)) < 0.3:
        return np.zeros((2, 3))
    total, weight = np.zeros(2), 0.0
    for iris, one, other in _EYES:
        rest = mean_face[iris] - (mean_face[one] + mean_face[other]) / 2
        seen = view[iris, :2] - (view[one, :2] + view[other, :2]) / 2
        moved = np.linalg.solve(flat, seen / scale - rotation[:2] @ rest) / radius
        share = float(np.linalg.norm(view[one, :2] - view[other, :2])) + 1e-9
        total += share * moved
        weight += share
    angles = np.arcsin(np.clip(_SHRINK * total / weight, -0.9, 0.9))
    sideways, upwards = np.clip(angles, -_LIMITS, _LIMITS)
    return np.tile([-upwards, sideways, 0.0], (2, 1))
