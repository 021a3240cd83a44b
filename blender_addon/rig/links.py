# SPDX-License-Identifier: GPL-3.0-or-later
"""Pointers from a head's mesh object to its other parts, whatever an artist renames.

Does not know how the parts were made. Pointers travel with the object when it is copied, linked
or appended.
"""

from __future__ import annotations

import bpy

from .material import OPTIONAL, HeadImages
from .names import LINK_PREFIX, PROPERTY_PREFIX

PARTS = ("camera", "albedo", "confidence", "photo")
NEURAL_PREVIEW = "neural_preview"
OPTIONAL_PARTS = tuple(part for part, _, _ in OPTIONAL)  # a head may lack them


def link_parts(mesh: bpy.types.Object, camera: bpy.types.Object, images: HeadImages) -> None:
    """Store pointers to the head's camera and to the images it has."""
    mesh[LINK_PREFIX + "camera"] = camera
    mesh[LINK_PREFIX + "albedo"] = images.albedo
    mesh[LINK_PREFIX + "confidence"] = images.confidence
    for part in OPTIONAL_PARTS:
        image = getattr(images, part)
        if image is not None:
            mesh[LINK_PREFIX + part] = image
    mesh[LINK_PREFIX + "photo"] = camera.data.background_images[0].image


def linked_part(mesh: bpy.types.Object, part: str) -> bpy.types.ID | None:
    """Return a part of PARTS or OPTIONAL_PARTS, or None where an artist deleted it."""
    found = mesh.get(LINK_PREFIX + part)
    return found if isinstance(found, bpy.types.ID) else None


def is_head(thing: bpy.types.Object | None) -> bool:
    """Whether an object is the mesh of a head of ours."""
    return (
        thing is not None
        and thing.type == "MESH"
        and PROPERTY_PREFIX + "topology_id" in thing
        and thing.data.shape_keys is not None
    )
