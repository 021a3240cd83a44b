# SPDX-License-Identifier: GPL-3.0-or-later
"""Bones that follow the identity sliders: where they belong, and putting them there.

Does not know the backend: what a slider does to the joints came with the rig, as properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core_access import IDENTITY_JOINTS, JOINTS, JOINTS_PROPERTY
from .armature import place_bones
from .names import ORIGIN
from .properties import read_property
from .read import armature_of
from .space import to_object

FITS = 2e-5  # m: less than any slider moves a joint by a visible step


def moved_joints(
    joints: NDArray[Any], moves: Mapping[str, Any], mesh: bpy.types.Object
) -> NDArray[np.float64]:
    """Return joints (K, 3) m in head space, moved by the identity sliders as they stand.

    moves: key -> how far value 1 moves the joints (K * 3), m. Keys that are muted or gone count
    as zero.
    """
    moved = np.asarray(joints, dtype=np.float64).copy()
    blocks = mesh.data.shape_keys.key_blocks
    for name, move in moves.items():
        block = blocks.get(name)
        if block is not None and not block.mute:
            moved += block.value * np.asarray(move, dtype=np.float64).reshape(moved.shape)
    return moved


def wanted_joints(mesh: bpy.types.Object) -> NDArray[np.float64] | None:
    """Return where the head's joints belong, (K, 3) m in head space; None where it cannot tell."""
    joints = read_property(mesh, JOINTS_PROPERTY)
    moves = read_property(mesh, IDENTITY_JOINTS)
    if not joints or not isinstance(moves, dict):
        return None
    return moved_joints(np.reshape(joints, (-1, 3)), moves, mesh)


def bones_fit(mesh: bpy.types.Object) -> bool:
    """Whether the bones stand where the identity sliders want them; True where it cannot tell."""
    wanted = wanted_joints(mesh)
    if wanted is None:
        return True
    bones = armature_of(mesh).data.bones
    places = to_object(wanted, _origin(mesh))
    return all(
        np.abs(np.array(bones[name].head_local) - place).max() < FITS
        for name, place in zip(JOINTS, places, strict=True)
        if name in bones
    )


def refit_bones(mesh: bpy.types.Object) -> None:
    """Move the bones to the identity sliders; their rotations and animation stay.

    The armature must be part of the current view layer and not hidden. Drivers follow: they read
    rotations in the bones' own space.
    """
    wanted = wanted_joints(mesh)
    if wanted is not None:
        place_bones(armature_of(mesh), JOINTS, to_object(wanted, _origin(mesh)))


def _origin(mesh: bpy.types.Object) -> NDArray[np.float64]:
    return np.asarray(read_property(mesh, ORIGIN, (0.0, 0.0, 0.0)), dtype=np.float64)
