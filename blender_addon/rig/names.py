# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of what the rig puts into a .blend, and the groups its shape keys belong to.

Does not know bpy.
"""

from __future__ import annotations

BASIS = "Basis"
UV_MAP = "UVMap"
PROPERTY_PREFIX = "rome_"
REGION_PREFIX = "region."
LINK_PREFIX = "romelink_"
SIGNATURES = "rome_signatures"
SURFACE = "rome_surface"
OFFSETS = "rome_offsets"
PRINT = "rome_print"
ESTIMATE = "rome_estimate"
ORIGIN = "origin"

_GROUPS = (
    ("brow", "Brows"),
    ("eye", "Eyes"),
    ("nose", "Nose"),
    ("cheek", "Cheeks"),
    ("jaw", "Jaw"),
    ("mouth", "Mouth"),
    ("tongue", "Tongue"),
    ("Hair", "Hair"),
    ("Neck", "Neck"),
    ("Identity", "Identity"),
    ("Shape", "Identity"),
    ("Pose", "Pose correctives"),
)


def armature_name(head: str) -> str:
    """Return the armature object's name for a head called ``head``."""
    return f"{head} Rig"


def camera_name(head: str) -> str:
    """Return the name of the camera that sees the head as the photo did."""
    return f"{head} Camera"


def image_name(head: str, role: str) -> str:
    """Return the name of an image: role is 'Albedo', 'Confidence', 'Photo', 'NeuralPreview',
    'Normal' or 'Roughness'."""
    return f"{head} {role}"


def material_name(head: str, role: str) -> str:
    """Return the name of a material: role is 'Skin' or 'Eyes'."""
    return f"{head} {role}"


def region_group(region: str) -> str:
    """Return the vertex group of a region.

    The prefix keeps regions apart from bones: an armature deforms by every vertex group
    that bears a bone's name, and 'neck' is both a region and a joint.
    """
    return f"{REGION_PREFIX}{region}"


def key_group(key: str) -> str:
    """Return the group a shape key is listed under, by its ARKit or basis name."""
    for prefix, group in _GROUPS:
        if key.startswith(prefix):
            return group
    return "Other"
