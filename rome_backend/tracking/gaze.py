# SPDX-License-Identifier: Apache-2.0
"""Where the eyes look: eyeball rotations from the iris landmarks, and steady over a clip.

Does not know expressions or identities beyond the size of the eyeballs.

The iris centre is read relative to the middle of its eye's corners, compared with the mean face
(whose subjects look into the camera's direction of the head), and divided by the eyeball's radius.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rome_backend.core.landmarks import landmark_points
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import F32, F64, JOINTS, FaceFit, FlameParams, HeadModel

# Iris centre and the corners of its eye, subject's left first as in FlameParams.eyes.
_EYES = ((473, 362, 263), (468, 33, 133))
_LIMITS = np.radians([35.0, 25.0])
# Irises are found to about 0.4 mm; gaze is seldom far off centre.
_SHRINK = 0.85
_PROBE = np.radians(12.0)
# Upper and lower lid, and the corners of the same eye.
_LIDS = ((386, 374, 362, 263), (159, 145, 33, 133))
_SHUT = 0.12  # height of an open eye in its width: more like 0.3
_SECONDS, _JUMP, _WINDOW_SECONDS = 0.08, np.radians(4.0), 0.4


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


def iris_travel(head: HeadModel) -> F64:
    """Return how far irises go, seen against the corners of their eyes: (2,) m per unit of sine.

    Sideways and upwards. Less than the eyeball's radius, as the lids go along with the eyes; the
    radius where the head model has no irises or corners among its landmarks.
    """
    rows = {int(index): row for row, index in enumerate(head.landmarks.indices)}
    radius = np.full(2, eye_radius(head))
    if not all(index in rows for eye in _EYES for index in eye):
        return radius
    moved: list[F64] = []
    for turn in (np.array([0.0, _PROBE, 0.0]), np.array([-_PROBE, 0.0, 0.0])):
        both = []
        for sign in (1.0, -1.0):
            still = np.zeros(head.shape_dirs.shape[2]), np.zeros(len(head.expression_names))
            params = FlameParams(*still, eyes=np.tile(sign * turn, (2, 1)))
            points = landmark_points(posed_vertices(head, params), head.faces, head.landmarks)
            iris, one, other = (points[[rows[e[k]] for e in _EYES]] for k in range(3))
            both.append((iris - (one + other) / 2).mean(axis=0))
        moved.append(abs(both[0] - both[1])[len(moved)] / (2 * np.sin(_PROBE)))
    return np.clip(moved, 0.5 * radius, radius)


def eye_rotations(
    view: F64,
    rotation: F64,
    scale: float,
    mean_face: F64,
    travel: float | F64,
    shrink: float = _SHRINK,
) -> F64:
    """Return axis-angle rotations (2, 3) rad, left eye then right.

    view (478, 3) px in view axes; rotation (3, 3) head to view; scale px/m; mean_face (478, 3) m;
    travel: m per unit of sine, one number or sideways and upwards (2,); shrink: how much of what
    is seen is believed. The eyes turn together: their mean, weighted by how frontal each is seen,
    bounded by what eyes can do. Zero for landmarks without irises or a face seen from the side.
    """
    flat = rotation[:2, :2]
    if len(view) <= _EYES[0][0] or abs(np.linalg.det(flat)) < 0.3:
        return np.zeros((2, 3))
    total, weight = np.zeros(2), 0.0
    for iris, one, other in _EYES:
        rest = mean_face[iris] - (mean_face[one] + mean_face[other]) / 2
        seen = view[iris, :2] - (view[one, :2] + view[other, :2]) / 2
        moved = np.linalg.solve(flat, seen / scale - rotation[:2] @ rest) / travel
        share = float(np.linalg.norm(view[one, :2] - view[other, :2])) + 1e-9
        total += share * moved
        weight += share
    angles = np.arcsin(np.clip(shrink * total / weight, -0.9, 0.9))
    sideways, upwards = np.clip(angles, -_LIMITS, _LIMITS)
    return np.tile([-upwards, sideways, 0.0], (2, 1))


def lids_open(landmarks: F32) -> float:
    """Return how open the eyes are: lid gap in parts of the eye's width, mean of both."""
    points = landmarks[:, :2].astype(np.float64)
    gaps = [np.linalg.norm(points[up] - points[down]) for up, down, _, _ in _LIDS]
    widths = [np.linalg.norm(points[one] - points[other]) for _, _, one, other in _LIDS]
    return float(np.mean(np.array(gaps) / np.maximum(widths, 1e-9)))


def steady_gaze(
    fits: Sequence[FaceFit | None], opened: Sequence[float], fps: float
) -> list[FaceFit | None]:
    """Return the fits of a clip with the trembling of irises taken out of their gaze.

    opened: `lids_open` of each frame; fps > 0. A mean over about a tenth of a second in which
    only directions count that are near (4 degrees): jumps of the eyes stay jumps. Behind shut
    lids there is no iris to see: such frames take what lies before and after. Source: our own
    (a bilateral filter, Tomasi and Manduchi 1998, over time).
    """
    frames = [k for k, fit in enumerate(fits) if fit is not None]
    result = list(fits)
    seconds = np.array(frames) / fps
    eyes = np.array([fit.params.eyes for fit in fits if fit is not None]).reshape(-1, 2, 3)
    seen = np.array([opened[k] > _SHUT for k in frames], dtype=bool)
    for row, frame in enumerate(frames):
        near = np.flatnonzero(seen & (np.abs(seconds - seconds[row]) < _WINDOW_SECONDS))
        apart = (seconds[near] - seconds[row]) / _SECONDS
        weight = np.exp(-(apart**2) / 2)
        if seen[row]:
            turn = np.linalg.norm(eyes[near] - eyes[row], axis=(1, 2)) / np.sqrt(2) / _JUMP
            weight = weight * np.exp(-(turn**2) / 2)
        fit = fits[frame]
        if fit is not None and weight.sum() > 1e-9:
            mean = np.einsum("n,nij->ij", weight / weight.sum(), eyes[near])
            result[frame] = replace(fit, params=replace(fit.params, eyes=mean))
    return result
