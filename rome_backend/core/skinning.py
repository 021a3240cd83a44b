# SPDX-License-Identifier: Apache-2.0
"""FLAME's maths, once: shape, expression, joint regression, pose correctives, skinning.

Does not know which head model it is given, and no torch: the array namespace ``xp`` (numpy or
torch) is an argument. numpy computes in f64 and is the oracle; torch keeps the dtype and device
of its input. Space: head space in metres. Source: FLAME (Li et al. 2017, section 3).
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Literal

import numpy as np

from .rotations import rotation_matrices
from .types import F64, FlameParams, HeadModel

JointsFrom = Literal["neutral", "expressed"]


def _floats(array: Any, like: Any, xp: ModuleType) -> Any:
    """Return a model array as f64 (numpy) or in the dtype and device of ``like`` (torch)."""
    if xp is np:
        return np.asarray(array, np.float64)
    if isinstance(array, type(like)):
        return array.to(like)
    return xp.asarray(array, dtype=like.dtype, device=like.device)


def shape_vertices(head: HeadModel, shape: Any, expression: Any = None, xp: ModuleType = np) -> Any:
    """Return vertices (..., V, 3) m: template + shape_dirs . shape + expression_dirs . expression.

    shape (..., S), expression (..., E) or None for a neutral face. Fewer coefficients than the
    model has count as zero for the rest; more raise ValueError.
    """
    shape = _floats(shape, shape, xp)
    vertices = _floats(head.template, shape, xp) + blended(head.shape_dirs, shape, xp)
    if expression is None:
        return vertices
    return vertices + blended(head.expression_dirs, _floats(expression, shape, xp), xp)


def blended(dirs: Any, coefficients: Any, xp: ModuleType = np) -> Any:
    """Return the sum (..., V, 3) of the first directions (V, 3, S) times coefficients (..., C)."""
    count = coefficients.shape[-1]
    if count > dirs.shape[-1]:
        raise ValueError(f"{count} coefficients for a basis of {dirs.shape[-1]}")
    basis = _floats(dirs[..., :count], coefficients, xp).reshape(-1, count)
    flat = coefficients @ basis.T
    return flat.reshape(tuple(coefficients.shape[:-1]) + (dirs.shape[0], 3))


def regress_joints(head: HeadModel, vertices: Any, xp: ModuleType = np) -> Any:
    """Return the joints (..., K, 3) m of unposed vertices (..., V, 3)."""
    vertices = _floats(vertices, vertices, xp)
    return _floats(head.joint_regressor, vertices, xp) @ vertices


def pose_features(rotations: Any, xp: ModuleType = np) -> Any:
    """Return (..., 9 (K - 1)): R - I of joints 1.., row by row, of rotations (..., K, 3, 3)."""
    rotations = _floats(rotations, rotations, xp)
    identity = _floats(np.eye(3), rotations, xp)
    relative = rotations[..., 1:, :, :] - identity
    return relative.reshape(tuple(relative.shape[:-3]) + (9 * relative.shape[-3],))


def joint_transforms(
    joints: Any, rotations: Any, parents: Any, xp: ModuleType = np
) -> tuple[Any, Any]:
    """Return the rotation (..., K, 3, 3) and position (..., K, 3) of every joint, posed.

    joints (..., K, 3) m at rest; rotations (..., K, 3, 3) relative to the parent; parents (K,),
    each parent before its children.
    """
    joints, rotations = _floats(joints, joints, xp), _floats(rotations, rotations, xp)
    worlds, places = [rotations[..., 0, :, :]], [joints[..., 0, :]]
    for joint, parent in enumerate(int(p) for p in parents):
        if joint == 0:
            continue
        bone = (joints[..., joint, :] - joints[..., parent, :])[..., None]
        worlds.append(worlds[parent] @ rotations[..., joint, :, :])
        places.append(places[parent] + (worlds[parent] @ bone)[..., 0])
    places = xp.broadcast_arrays(*places) if xp is np else xp.broadcast_tensors(*places)
    return xp.stack(worlds, -3), xp.stack(list(places), -2)


def skin(
    vertices: Any,
    joints: Any,
    rotations: Any,
    head: HeadModel,
    xp: ModuleType = np,
    translation: Any = None,
) -> Any:
    """Return posed vertices (..., V, 3) m: pose correctives, then linear blend skinning.

    vertices (..., V, 3) m, shaped and expressed, offsets included; joints (..., K, 3) m, regressed
    by the caller from whichever vertices the joints shall follow; rotations (..., K, 3, 3)
    relative to the parent, the root's included; translation (..., 3) m or None.
    """
    vertices = _floats(vertices, vertices, xp)
    rotations = _floats(rotations, vertices, xp)
    joints = _floats(joints, vertices, xp)
    corrected = vertices + blended(head.pose_dirs, pose_features(rotations, xp), xp)
    worlds, places = joint_transforms(joints, rotations, head.parents, xp)
    shifts = places - (worlds @ joints[..., None])[..., 0]
    weights = _floats(head.weights, vertices, xp)
    flat = worlds.reshape(tuple(worlds.shape[:-2]) + (9,))
    turns = (weights @ flat).reshape(tuple(flat.shape[:-2]) + (weights.shape[0], 3, 3))
    posed = (turns @ corrected[..., None])[..., 0] + weights @ shifts
    if translation is None:
        return posed
    return posed + _floats(translation, vertices, xp)[..., None, :]


def posed_vertices(
    head: HeadModel,
    params: FlameParams,
    offsets: Any = None,
    joints_from: JointsFrom = "neutral",
) -> F64:
    """Return one frame's vertices (V, 3) f64 m: the whole chain in numpy.

    Shape, joints regressed, expression and offsets (V, 3) m added, posed, translated.
    ``joints_from``: "neutral" regresses the joints from the neutral shape (rigs), "expressed"
    from shape plus expression (parity, the released networks). Offsets never move joints.
    """
    if joints_from not in ("neutral", "expressed"):
        raise ValueError(f"joints_from must be 'neutral' or 'expressed', not {joints_from!r}")
    expressed = shape_vertices(head, params.shape, params.expression)
    base = expressed if joints_from == "expressed" else shape_vertices(head, params.shape)
    joints = regress_joints(head, base)
    moved = expressed if offsets is None else expressed + np.asarray(offsets, np.float64)
    rotations = rotation_matrices(params.pose())
    return skin(moved, joints, rotations, head, translation=params.translation)
