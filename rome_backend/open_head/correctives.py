# SPDX-License-Identifier: Apache-2.0
"""Pose correctives of the open head: what linear blend skinning loses when jaw and neck turn.

Does not know expressions: where a turned joint takes the vertices is told by arcs, the jaw and
what the lids do when the eyes look about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.spatial.transform import Rotation

from rome_backend.core.types import F32, F64
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.jaw_motion import JawMotion
from rome_backend.open_head.lid_motion import eye_correctives

NECK, JAW = 1, 2
RIDGE = 1e-3
EVEN = 0.8
NECK_LIMITS = (("y", 40.0), ("x", 30.0), ("z", 25.0))
JAW_OPEN_LIMIT, JAW_SIDE_LIMIT = 30.0, 8.0


def pose_dirs(geometry: HeadGeometry, jaw: JawMotion, looks: Mapping[str, F64]) -> F32:
    """Return the pose correctives (V, 3, 36) f32, m per entry of R - I.

    Columns as FLAME's: joints neck, jaw, left_eye, right_eye, nine entries of R - I each, row by
    row. Regressed (ridge least squares) so that blend skinning with them
    comes near the wanted places: for the neck each vertex turned by about its weight's part of
    the angle, for the jaw what jaw says, which is how jawOpen moves the face, for the eyes what
    the lids do in looks, the left eyeLook keys' moves (V, 3) m. Correctives act before skinning,
    so residuals are turned back first. Source: our own.
    """
    arm = geometry.vertices - geometry.joints[NECK]
    weight = evened(joint_weight(geometry, NECK))
    targets = {
        NECK: (neck_poses(), lambda pose: arc_positions(arm, weight, pose)),
        JAW: (jaw_poses(), jaw.moved),
    }
    directions = np.zeros((len(geometry.vertices), 3, 36))
    directions[:, :, 18:] = eye_correctives(geometry, looks)
    for joint, (poses, target) in targets.items():
        first = 9 * (joint - 1)
        directions[:, :, first : first + 9] = joint_correctives(geometry, joint, poses, target)
    return directions.astype(np.float32)


def neck_poses() -> F64:
    """Return sampled neck rotations (N, 3), axis-angle rad: yaw, pitch and roll, and mixtures."""
    single = []
    for axis, limit in NECK_LIMITS:
        for degrees in np.linspace(-limit, limit, 9):
            single.append(Rotation.from_euler(axis, degrees, degrees=True).as_rotvec())
    corners = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
    limits = np.array([limit for _, limit in NECK_LIMITS])
    mixed = Rotation.from_euler("YXZ", 0.5 * corners * limits, degrees=True).as_rotvec()
    return np.concatenate([single, mixed])


def jaw_poses() -> F64:
    """Return sampled jaw rotations (N, 3), axis-angle rad: opening, alone and with side motion."""
    opening = np.linspace(0.0, JAW_OPEN_LIMIT, 7)
    sides = (-JAW_SIDE_LIMIT, 0.0, JAW_SIDE_LIMIT)
    angles = np.array([(side, degrees) for side in sides for degrees in opening])
    return Rotation.from_euler("YX", angles, degrees=True).as_rotvec()


def joint_weight(geometry: HeadGeometry, joint: int) -> F64:
    """Return the weight (V,) of a joint together with all joints below it."""
    weight = geometry.weights[:, joint].copy()
    for child in range(joint + 1, len(geometry.parents)):
        ancestor = geometry.parents[child]
        while ancestor > joint:
            ancestor = geometry.parents[ancestor]
        if ancestor == joint:
            weight += geometry.weights[:, child]
    return weight


def evened(weight: F64) -> F64:
    """Return weights (V,) of a smooth step made nearly a straight ramp, 0 and 1 kept.

    A bend whose steps are even crushes skin least; the skinning weights are a smooth step, steep
    in its middle.
    """
    ramp = 0.5 - np.sin(np.arcsin(np.clip(1 - 2 * weight, -1, 1)) / 3)
    return EVEN * ramp + (1 - EVEN) * weight


def arc_positions(arm: F64, weight: F64, rotation: F64) -> F64:
    """Return arm (V, 3) turned by weight (V,) times the rotation (3,) axis-angle rad."""
    turned = arm.copy()
    moving = np.flatnonzero(weight > 0)
    turns = Rotation.from_rotvec(weight[moving, None] * rotation)
    turned[moving] = turns.apply(arm[moving])
    return turned


def joint_correctives(
    geometry: HeadGeometry, joint: int, poses: F64, target: Callable[[F64], F64]
) -> F64:
    """Return the correctives (V, 3, 9) of one joint regressed over poses (N, 3) axis-angle.

    target: a pose (3,) -> where the vertices shall be (V, 3) m, seen from the joint.
    """
    arm = geometry.vertices - geometry.joints[joint]
    weight = joint_weight(geometry, joint)
    features, residuals = [], []
    for pose in poses:
        matrix = Rotation.from_rotvec(pose).as_matrix()
        blend = weight[:, None, None] * (matrix - np.eye(3)) + np.eye(3)
        residuals.append(np.linalg.solve(blend, target(pose)[:, :, None])[:, :, 0] - arm)
        features.append((matrix - np.eye(3)).ravel())
    design, residual = np.array(features), np.array(residuals)
    gram = design.T @ design
    gram += RIDGE * np.trace(gram) / 9 * np.eye(9)
    columns = np.linalg.solve(gram, design.T @ residual.reshape(len(poses), -1))
    return columns.reshape(9, -1, 3).transpose(1, 2, 0)
