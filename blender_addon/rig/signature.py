# SPDX-License-Identifier: GPL-3.0-or-later
"""Small signatures of the shape keys as they were built, to tell later what an artist sculpted.

Does not know who sculpts. A signature is a key's difference to the Basis, projected onto a few
fixed random directions: 12 numbers say whether 15,000 changed, within rounding.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core_access import RigArrays
from .names import BASIS, SIGNATURES, SURFACE
from .space import directions_to_object, origin_of, to_object

COUNT = 4
SEED = 20201
KEYS_PER_STEP = 60
# Rounding to f32 moves a projection by 4e-6 at most; one vertex moved by 0.1 mm by about 1e-4.
TOLERANCE = 2e-5
ROUNDING = 1e-6


@dataclass(frozen=True)
class Signed:
    """Signatures of a rig's keys (JSON text: name to COUNT numbers) and its surface (V, 3) m."""

    text: str
    surface: NDArray[np.float64]


def signature_steps(rig: RigArrays) -> Generator[None, None, Signed]:
    """Return the signatures of a rig's keys in steps; nothing is stored."""
    surface = to_object(rig.vertices, origin_of(rig.properties))
    directions = _directions(surface.size)
    signatures = {}
    for number, key in enumerate(rig.keys, 1):
        delta = directions_to_object(key.delta).ravel()
        signatures[key.name] = (delta @ directions).tolist()
        if number % KEYS_PER_STEP == 0:
            yield
    return Signed(json.dumps(signatures), surface)


def store_signatures(mesh: bpy.types.Object, signed: Signed) -> None:
    """Store the signatures and the surface on the mesh's data."""
    mesh.data[SIGNATURES] = signed.text
    _store_surface(mesh.data, signed.surface)


def _store_surface(data: bpy.types.Mesh, basis: NDArray[np.float64]) -> None:
    surface = data.attributes.get(SURFACE)
    if surface is None:
        surface = data.attributes.new(SURFACE, "FLOAT_VECTOR", "POINT")
    surface.data.foreach_set("vector", basis.astype(np.float32).ravel())


def key_points(block: bpy.types.ShapeKey) -> NDArray[np.float64]:
    """Return a key's points (V, 3) f64 m in object space."""
    points = np.empty(3 * len(block.data), dtype=np.float32)
    block.data.foreach_get("co", points)
    return points.reshape(-1, 3).astype(np.float64)


def basis_edit(mesh: bpy.types.Object) -> NDArray[np.float64]:
    """Return what was sculpted on the Basis since it was built, (V, 3) f64 m in object space."""
    basis = key_points(mesh.data.shape_keys.key_blocks[BASIS])
    built = np.empty(basis.size, dtype=np.float32)
    surface = mesh.data.attributes.get(SURFACE)
    if surface is None:
        return np.zeros_like(basis)
    surface.data.foreach_get("vector", built)
    edit = basis - built.reshape(-1, 3)
    edit[np.abs(edit) < ROUNDING] = 0.0
    return edit


def edited_keys(mesh: bpy.types.Object) -> set[str]:
    """Return the names of our keys whose difference to the Basis is not the built one."""
    blocks = mesh.data.shape_keys.key_blocks
    basis = key_points(blocks[BASIS])
    directions = _directions(basis.size)
    found = set()
    for name, signature in _signatures(mesh).items():
        if name in blocks:
            delta = (key_points(blocks[name]) - basis).ravel() @ directions
            if np.abs(delta - np.asarray(signature)).max() > TOLERANCE:
                found.add(name)
    return found


def signed_keys(mesh: bpy.types.Object) -> set[str]:
    """Return the names of the keys that we built."""
    return set(_signatures(mesh))


def _signatures(mesh: bpy.types.Object) -> dict[str, list[float]]:
    return json.loads(mesh.data.get(SIGNATURES, "{}"))


def _directions(size: int) -> NDArray[np.float64]:
    return np.random.default_rng(SEED).normal(size=(size, COUNT))
