# SPDX-License-Identifier: GPL-3.0-or-later
"""A rig's facts as custom properties of its mesh object.

Does not know what the facts mean. Numbers, texts and lists of numbers are stored as they are, so
that an artist can read and drive by them; everything else is stored as JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import bpy

from .names import PROPERTY_PREFIX

_JSON = "json:"


def write_properties(target: bpy.types.Object, properties: Mapping[str, Any]) -> None:
    """Store JSON-able properties under their names with the prefix 'rome_'."""
    for name, value in properties.items():
        target[PROPERTY_PREFIX + name] = _stored(value)


def read_properties(target: bpy.types.Object) -> dict[str, Any]:
    """Return what write_properties stored; lists of numbers come back as lists of floats."""
    return {
        name[len(PROPERTY_PREFIX) :]: _loaded(value)
        for name, value in target.items()
        if name.startswith(PROPERTY_PREFIX)
    }


def read_property(target: bpy.types.Object, name: str, default: Any = None) -> Any:
    """Return one stored property, or the default where the object does not have it."""
    stored = target.get(PROPERTY_PREFIX + name)
    return default if stored is None else _loaded(stored)


def _stored(value: Any) -> Any:
    if isinstance(value, str) and not value.startswith(_JSON):
        return value
    if isinstance(value, (bool, float)) or (isinstance(value, int) and abs(value) < 2**31):
        return value
    if isinstance(value, (list, tuple)) and value and all(type(item) is float for item in value):
        return list(value)
    return _JSON + json.dumps(value)


def _loaded(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_JSON):
        return json.loads(value[len(_JSON) :])
    return value if isinstance(value, (bool, int, float, str)) else list(value)
