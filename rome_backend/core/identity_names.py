# SPDX-License-Identifier: Apache-2.0
"""Names of the shape keys that change whose face it is: the one place that makes and knows them.

Does not know shapes. Files of artists keep these names: they must never change.
"""

from __future__ import annotations

import re

IDENTITY_PREFIX = "Identity"
SHAPE_PREFIX = "Shape"
# Per key, where the joints go at value 1: a rig's property, see export/identity_keys.py.
IDENTITY_JOINTS = "identity_joints"
JOINTS_PROPERTY = "joints"
_NUMBERED = re.compile(rf"{SHAPE_PREFIX}\d+")


def identity_key(slider: str) -> str:
    """Return the key of a plainly named slider: 'jaw_width' or 'Jaw Width' is IdentityJawWidth."""
    words = re.split(r"[^0-9A-Za-z]+", slider)
    return IDENTITY_PREFIX + "".join(word[:1].upper() + word[1:] for word in words)


def shape_key(number: int) -> str:
    """Return the key of a head model's own shape direction, counted from 1."""
    return f"{SHAPE_PREFIX}{number}"


def is_identity_key(key: str) -> bool:
    """Whether a key changes whose face it is."""
    return key.startswith(IDENTITY_PREFIX) or _NUMBERED.fullmatch(key) is not None


def identity_label(key: str) -> str:
    """Return an identity key as words: IdentityJawWidth is Jaw Width, Shape3 is Shape 3."""
    text = key.removeprefix(IDENTITY_PREFIX) or key
    return " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", text)) or text
