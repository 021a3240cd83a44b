# SPDX-License-Identifier: Apache-2.0
"""Joints of the open head and how much each moves every vertex.

Does not know rotations: rome_backend.core.skinning applies the weights.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from rome_backend.core.types import F64, JOINTS, Mask
from rome_backend.open_head.eyeballs import RINGS, SECTORS
from rome_backend.open_head.geometry import EYEBALL_VERTICES, FACE_LANDMARKS
from rome_backend.open_head.landmark_sets import (
    BELOW_NOSE,
    BESIDE_CORNERS,
    CHIN,
    LOWER_LIP,
    MOUTH_CORNERS,
    UPPER_LIP,
)
from rome_backend.open_head.laplacian import BilaplacianSpread, bilaplacian
from rome_backend.open_head.surface import Skin
from rome_backend.open_head.teeth import TONGUE_VERTICES, TOOTH_VERTICES

PARENTS = (-1, 0, 1, 1, 1)
NECK, JAW, LEFT_EYE, RIGHT_EYE = (JOINTS.index(n) for n in ("neck", "jaw", "left_eye", "right_eye"))
CORNER_WEIGHT = 0.42
LOOSE = 0.02  # cheeks and chin follow their targets only roughly, so that they bend smoothly
JAW_JOINT = np.array([0.0, -0.036, -0.060])
NECK_JOINT = np.array([0.0, -0.130, -0.102])
ROOT_JOINT = np.array([0.0, -0.172, -0.102])
# The neck bends between two tilted planes: height over z = -60 mm along the neck's axis.
NECK_TILT, NECK_BOTTOM, NECK_TOP = 0.4, -0.180, -0.105


def build_weights(skin: Skin) -> F64:
    """Return weights (V, 5) in the order of JOINTS; rows sum to 1.

    Upper teeth hang on the head, lower teeth and tongue on the jaw.
    """
    jaw = np.clip(jaw_weights(skin), 0, 1)
    neck = neck_weights(skin.vertices)
    columns = [(1 - neck) * (1 - jaw), neck * (1 - jaw), jaw, 0 * jaw, 0 * jaw]
    joints = (LEFT_EYE, RIGHT_EYE, NECK, JAW, JAW)
    counts = (EYEBALL_VERTICES, EYEBALL_VERTICES, TOOTH_VERTICES, TOOTH_VERTICES, TONGUE_VERTICES)
    rigid = np.repeat(np.eye(len(JOINTS))[list(joints)], counts, axis=0)
    return np.concatenate([np.column_stack(columns), rigid])


def neck_weights(vertices: F64) -> F64:
    """Return how much vertices (V, 3) follow the neck joint: 0 at the base, 1 at the jaw."""
    height = vertices[:, 1] + NECK_TILT * (vertices[:, 2] + 0.06)
    ramp = np.clip((height - NECK_BOTTOM) / (NECK_TOP - NECK_BOTTOM), 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def jaw_weights(skin: Skin) -> F64:
    """Return how much each skin vertex follows the jaw: targets on landmarks and in the mouth,
    spread smoothly; zero on cranium, ears and neck."""
    targets = [landmark_jaw_weights(skin.vertices)]
    handles = [np.arange(FACE_LANDMARKS, dtype=np.int32)]
    for ring in skin.mouth[1:]:
        angle = np.linspace(-np.pi / 2, np.pi / 2, len(ring))
        follows = _lip_weight(np.cos(angle), lower=angle < 0)
        if ring is skin.mouth[-1]:  # the loop at the back moves as one and stays shut
            follows = np.full(len(ring), CORNER_WEIGHT)
        targets.append(follows)
        handles.append(ring)
        targets.append(targets[-1][1:-1])
        handles.append(skin.mirror[ring[1:-1]])
    chin_y, ear_z = skin.vertices[152, 1], skin.vertices[234, 2]
    y, z = skin.vertices[:, 1], skin.vertices[:, 2]
    fixed = (y < chin_y - 0.035) | (z < ear_z - 0.010)
    energy = bilaplacian(skin.vertices, skin.faces)
    numbers = np.concatenate(handles)
    exact = np.isin(numbers, [*UPPER_LIP, *LOWER_LIP]) | (np.arange(len(numbers)) >= FACE_LANDMARKS)
    spread = BilaplacianSpread(energy, numbers, np.where(exact, 1.0, LOOSE), fixed=fixed)
    return np.where(fixed, 0.0, spread(np.concatenate(targets)))


def landmark_jaw_weights(landmarks: F64) -> F64:
    """Return jaw weights (468,) of the landmarks (first 468 rows), by height below the line
    from the jaw's hinge to the mouth, with the lips set by hand."""
    points = landmarks[:FACE_LANDMARKS]
    mouth = (points[13] + points[14]) / 2
    line = mouth - JAW_JOINT
    down = np.array([0.0, -line[2], line[1]])
    down *= -np.sign(down[1]) / np.linalg.norm(down)
    below = (points - JAW_JOINT) @ down
    in_front = np.clip((points[:, 2] - JAW_JOINT[2] + 0.005) / 0.03, 0, 1)
    weight = np.clip(below / 0.022 + 0.12, 0, 1) * in_front
    across = np.clip(np.abs(points[:, 0]) / points[291, 0], 0, 1)
    upper, lower = list(UPPER_LIP), list(LOWER_LIP)
    weight[upper] = _lip_weight(across[upper], lower=np.zeros(len(upper), bool))
    weight[lower] = _lip_weight(across[lower], lower=np.ones(len(lower), bool))
    weight[list(MOUTH_CORNERS)] = CORNER_WEIGHT
    chin = [k for k in CHIN if points[k, 1] < mouth[1] - 0.01]
    weight[chin] = np.maximum(weight[chin], 0.9)
    weight[list(BESIDE_CORNERS)] = CORNER_WEIGHT + 0.03
    weight[list(BELOW_NOSE)] = np.minimum(weight[list(BELOW_NOSE)], 0.05)
    return weight


def _lip_weight(across: F64, lower: Mask) -> F64:
    """Return jaw weights at across (0 middle, 1 corner): 1 in the middle of the lower lip."""
    down = CORNER_WEIGHT + (1 - CORNER_WEIGHT) * np.sqrt(np.clip(1 - across**2, 0, 1))
    return np.where(lower, down, CORNER_WEIGHT * across**3)


def build_joint_regressor(skin: Skin, vertices: F64) -> F64:
    """Return the regressor (5, V), non-negative rows summing to 1, for all vertices (V, 3).

    Eyes: the mean of the eyeball's equator, which is its centre. Root, neck, jaw: surrounding
    skin in symmetric pairs, so that joints follow identity.
    """
    regressor = np.zeros((len(JOINTS), len(vertices)))
    equator = 1 + (RINGS // 2) * SECTORS + np.arange(SECTORS)
    regressor[LEFT_EYE, len(skin.vertices) + equator] = 1 / SECTORS
    regressor[RIGHT_EYE, len(skin.vertices) + EYEBALL_VERTICES + equator] = 1 / SECTORS
    around = {0: skin.cranium[35:40].ravel(), 1: skin.cranium[31:37].ravel()}
    around[2] = np.r_[skin.oval[8:28], skin.cranium[1, 12:28], skin.cranium[18, 12:28]]
    for joint, target in ((0, ROOT_JOINT), (1, NECK_JOINT), (2, JAW_JOINT)):
        pairs = np.unique(around[joint][around[joint] >= 0])
        share = _convex_weights(skin.vertices[pairs, 1:], target[1:])
        np.add.at(regressor[joint], pairs, share / 2)
        np.add.at(regressor[joint], skin.mirror[pairs], share / 2)
    return regressor


def _convex_weights(points: F64, target: F64) -> F64:
    """Return weights (N,) >= 0 with sum 1 whose mean of points (N, 2) is target, spread widely."""
    count = len(points)
    system = np.concatenate([1e4 * (points - target).T, 1e4 * np.ones((1, count)), np.eye(count)])
    weights, _ = nnls(system, np.r_[0.0, 0.0, 1e4, np.zeros(count)])
    return weights / weights.sum()
