# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes to the shape keys of an exported copy: freezing, baking and dropping them.

Does not know files, and must never see an artist's own head: it changes what it gets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core_access import is_identity_key
from ..head.expressions import PAIRS, SIDES
from ..rig.names import BASIS
from ..rig.offsets import bare_points
from ..rig.signature import key_points

_SINGLES = (
    "browInnerUp", "cheekPuff", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose",
    "mouthFunnel", "mouthLeft", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "tongueOut",
)  # fmt: skip
# Apple, ARFaceAnchor.BlendShapeLocation.
ARKIT = frozenset(_SINGLES) | {pair + side for pair in PAIRS for side in SIDES}


def shown_values(mesh: bpy.types.Object, graph: bpy.types.Depsgraph) -> dict[str, float]:
    """Return each key's value as it is shown: drivers and animation included."""
    blocks = mesh.data.shape_keys.evaluated_get(graph).key_blocks
    return {block.name: block.value for block in blocks if block.name != BASIS}


def freeze(mesh: bpy.types.Object, values: Mapping[str, float]) -> None:
    """Take animation and drivers off the keys and give them these values."""
    mesh.data.shape_keys.animation_data_clear()
    for name, value in values.items():
        mesh.data.shape_keys.key_blocks[name].value = value


def bake(mesh: bpy.types.Object, names: Iterable[str], values: Mapping[str, float]) -> None:
    """Move what the named keys show into the Basis, and set them to zero.

    values: what all keys show. All keys go on adding what they added before.
    """
    blocks = mesh.data.shape_keys.key_blocks
    baked = set(names)
    muted = {block.name: block.mute for block in blocks}
    for block in blocks[1:]:
        block.mute = block.mute or block.name not in baked
        block.value = values[block.name]
    mesh.show_only_shape_key = False
    mix = mesh.shape_key_add(name="rome mix", from_mix=True)
    moved = key_points(mix) - key_points(blocks[BASIS])
    mesh.shape_key_remove(mix)
    for block in blocks:
        block.mute = muted[block.name]
        if block.name in baked:
            block.value = 0.0
        _set_points(block.data, key_points(block) + moved)
    _set_points(mesh.data.vertices, key_points(blocks[BASIS]))


def drop(mesh: bpy.types.Object, names: Iterable[str]) -> None:
    """Remove the named keys with their drivers."""
    keys = mesh.data.shape_keys
    for name in list(names):
        block = keys.key_blocks[name]
        block.driver_remove("value")
        mesh.shape_key_remove(block)


def make_bare(mesh: bpy.types.Object, values: Mapping[str, float]) -> None:
    """Leave nothing but the person's identity: no keys, no expression, no hair.

    values: what all keys show; identity sliders become part of the shape. Raises RomeError
    'offsets_unknown' where the head does not say what its offsets are.
    """
    blocks = mesh.data.shape_keys.key_blocks
    points, basis = bare_points(mesh), key_points(blocks[BASIS])
    for block in blocks:
        if is_identity_key(block.name) and not block.mute and values[block.name]:
            points += values[block.name] * (key_points(block) - basis)
    local = (mesh.data.shape_keys.name, None)
    mesh.shape_key_clear()
    # Blender frees the keys of a mesh, but not those of a copied one.
    if bpy.data.shape_keys.get(local) is not None:
        bpy.data.batch_remove([bpy.data.shape_keys[local]])
    _set_points(mesh.data.vertices, points)
    mesh.data.update()


def _set_points(target: bpy.types.bpy_prop_collection, points: NDArray[np.float64]) -> None:
    target.foreach_set("co", points.astype(np.float32).ravel())
