# SPDX-License-Identifier: Apache-2.0
"""Turns an avatar into the rig every exporter and the Blender builder share.

Does not know bpy, file formats or how the avatar was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import rome_backend
from rome_backend.core.errors import RomeError
from rome_backend.core.identity_names import IDENTITY_JOINTS, JOINTS_PROPERTY
from rome_backend.core.skinning import regress_joints, shape_vertices
from rome_backend.core.types import (
    F32,
    F64,
    Avatar,
    HeadModel,
    Mask,
    OffsetBasis,
    RigArrays,
    RigKey,
)
from rome_backend.export.identity_keys import identity_keys, joint_moves
from rome_backend.export.photo_keys import photo_keys

EYEBALLS = ("left_eyeball", "right_eyeball")
OFFSET_LIMIT = 3.0
CORRECTIVE_LIMIT = 10.0
ORIGIN = "origin"
ESTIMATES = "estimates"  # the property that names the maps which are guesses
MAPS = ("normal", "roughness")
OPTIONAL = ("neural_preview", "normal_map", "roughness_map")  # what an avatar may lack
# What of an avatar's provenance travels with a rig: no name of a photo.
MADE_BY = ("program", "seed", "head", "tracker", "networks", "head_source", "delight")


def rig_arrays(head: HeadModel, basis: OffsetBasis, avatar: Avatar) -> RigArrays:
    """Return the rig of an avatar (our own mapping of FLAME to shape keys and bones).

    The Basis holds the identity, the mean of the offset basis and the free offsets; the source
    expression and pose are left to properties. Keys in order: expressions under their ARKit names
    (0..1; FLAME's components Exp1.. -3..3), the offset basis in standard deviations (-3..3,
    starting at the fitted coefficients; what lies beyond the slider goes into the Basis, so the
    shape is exact), the identity sliders
    (-3..3 standard deviations, zero at the fitted face), and one corrective per entry of R - I
    that does anything, numbered as in ``pose_dirs``. Joints are those of the neutral identity
    without offsets, so hair never moves a bone.

    Raises RomeError 'topology_mismatch' where the avatar was made with another head model.
    """
    if avatar.topology_id != head.topology_id:
        raise RomeError(
            "topology_mismatch",
            f"This avatar belongs to the head model '{avatar.head_model}'.",
            f"Export it with that head model, or create it again with '{head.name}'.",
        )
    coefficients = np.asarray(avatar.offset_coefficients, np.float64)
    shown = np.clip(coefficients, -OFFSET_LIMIT, OFFSET_LIMIT)
    identity = shape_vertices(head, avatar.params.shape)
    joints = regress_joints(head, identity)
    vertices = identity + basis.mean + avatar.free_offsets
    vertices += np.asarray(basis.dirs, np.float64) @ (coefficients - shown)
    sliders = identity_keys(head)
    facts = {
        ORIGIN: _origin(vertices, joints),
        JOINTS_PROPERTY: _floats(joints),
        IDENTITY_JOINTS: joint_moves(head, sliders),
    }
    return RigArrays(
        name=avatar.name,
        vertices=vertices.astype(np.float32),
        offsets=(vertices - identity).astype(np.float32),
        faces=head.faces,
        uvs=head.uvs,
        uv_faces=head.uv_faces,
        keys=_keys(head, basis, shown, sliders),
        joints=joints.astype(np.float32),
        joint_names=head.joint_names,
        parents=head.parents,
        weights=head.weights,
        eye_faces=_eye_faces(head),
        regions=head.regions,
        albedo=avatar.albedo,
        confidence=avatar.confidence,
        photo=avatar.source_crop,
        camera=avatar.camera,
        properties=_properties(head, avatar) | facts,
        **{name: getattr(avatar, name) for name in OPTIONAL},
    )


def _keys(
    head: HeadModel, basis: OffsetBasis, shown: F64, sliders: tuple[RigKey, ...]
) -> tuple[RigKey, ...]:
    free = (*_expression_keys(head), *_offset_keys(basis, shown), *sliders)
    return (*free, *_corrective_keys(head))


def _expression_keys(head: HeadModel) -> Iterator[RigKey]:
    for index, name in enumerate(head.expression_names):
        signed = name.startswith("Exp")  # FLAME's components, in standard deviations
        limits = (-OFFSET_LIMIT, OFFSET_LIMIT) if signed else (0.0, 1.0)
        yield RigKey(name, _delta(head.expression_dirs, index), 0.0, *limits)


def _offset_keys(basis: OffsetBasis, values: F64) -> Iterator[RigKey]:
    for index, name in enumerate(basis.names):
        delta = _delta(basis.dirs, index)
        yield RigKey(name, delta, float(values[index]), -OFFSET_LIMIT, OFFSET_LIMIT)


def _corrective_keys(head: HeadModel) -> Iterator[RigKey]:
    for index in range(head.pose_dirs.shape[-1]):
        joint, entry = divmod(index, 9)
        delta = _delta(head.pose_dirs, index)
        if np.any(delta):
            driver = (head.joint_names[joint + 1], *divmod(entry, 3))
            name = f"Pose{index + 1}"
            yield RigKey(name, delta, 0.0, -CORRECTIVE_LIMIT, CORRECTIVE_LIMIT, driver)


def _delta(dirs: F32, index: int) -> F32:
    return np.ascontiguousarray(dirs[..., index], dtype=np.float32)


def _eye_faces(head: HeadModel) -> Mask:
    eyeballs = np.logical_or.reduce([head.regions[name] for name in EYEBALLS])
    return np.all(eyeballs[head.faces], axis=1)


def _origin(vertices: F64, joints: F64) -> list[float]:
    """Return the point of head space an artist finds at the world's origin.

    It lies below the root joint, on the level of the lowest vertex: the head stands on the floor.
    """
    return [float(joints[0, 0]), float(vertices[:, 1].min()), float(joints[0, 2])]


def _properties(head: HeadModel, avatar: Avatar) -> dict[str, Any]:
    params = avatar.params
    return {
        "version": rome_backend.__version__,
        "head_model": avatar.head_model,
        "topology_id": avatar.topology_id,
        "shape": _floats(params.shape),
        "offset_coefficients": _floats(avatar.offset_coefficients),
        "expression_names": list(head.expression_names),
        "source_expression": _floats(params.expression),
        "photo_keys": photo_keys(head, params),
        "source_rotation": _floats(params.rotation),
        "source_neck": _floats(params.neck),
        "source_jaw": _floats(params.jaw),
        "source_eyes": _floats(params.eyes),
        "source_translation": _floats(params.translation),
        "licences": dict(avatar.licences),
        "provenance": {fact: avatar.provenance.get(fact) for fact in MADE_BY},
        "warnings": list(avatar.warnings),
        ESTIMATES: [name for name in MAPS if getattr(avatar, f"{name}_map") is not None],
    }


def _floats(array: F64 | F32) -> list[float]:
    return [float(value) for value in np.asarray(array).ravel()]
