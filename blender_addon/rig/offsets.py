# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a head's Basis is hair, clothes and neck, kept apart from the person's identity.

Does not know how offsets were fitted. It stands as an attribute on the mesh, because the Basis
alone cannot tell.
"""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core_access import RigArrays, RomeError
from .names import BASIS, OFFSETS
from .signature import key_points
from .space import directions_to_object


def store_offsets(mesh: bpy.types.Object, rig: RigArrays) -> None:
    """Store the rig's offsets on the mesh's data, in object space."""
    attribute = mesh.data.attributes.get(OFFSETS)
    if attribute is None:
        attribute = mesh.data.attributes.new(OFFSETS, "FLOAT_VECTOR", "POINT")
    offsets = directions_to_object(rig.offsets)
    attribute.data.foreach_set("vector", offsets.astype(np.float32).ravel())


def bare_points(mesh: bpy.types.Object) -> NDArray[np.float64]:
    """Return the Basis without its offsets, (V, 3) f64 m in object space.

    That is the identity alone, without hair; what an artist sculpted on the Basis stays.
    Raises RomeError 'offsets_unknown' where the head does not say what its offsets are.
    """
    basis = key_points(mesh.data.shape_keys.key_blocks[BASIS])
    attribute = mesh.data.attributes.get(OFFSETS)
    if attribute is None or len(attribute.data) != len(basis):
        raise RomeError(
            "offsets_unknown",
            f"{mesh.name} does not say which part of its shape is hair.",
            "Create the head again from the photo.",
        )
    offsets = np.empty(basis.size, dtype=np.float32)
    attribute.data.foreach_get("vector", offsets)
    return basis - offsets.reshape(-1, 3)
