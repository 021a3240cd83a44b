# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where the add-on reaches the shared core.

Does not know bpy. In the built extension the core lies inside the add-on as ``.core``;
in the checkout it is ``rome_backend.core``.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING or find_spec(f"{__package__}.core") is None:
    from rome_backend.core.errors import Cancelled, OutOfResources, RomeError
    from rome_backend.core.messages import (
        AvatarReady,
        Cancel,
        CreateAvatar,
        DetectFaces,
        FacesFound,
        Failed,
        LoadAvatar,
        Progress,
        Rebake,
    )
    from rome_backend.core.rig_file import load_rig, rig_from_tensors
    from rome_backend.core.types import JOINTS, Camera, RigArrays, RigKey
else:
    from .core.errors import Cancelled, OutOfResources, RomeError
    from .core.messages import (
        AvatarReady,
        Cancel,
        CreateAvatar,
        DetectFaces,
        FacesFound,
        Failed,
        LoadAvatar,
        Progress,
        Rebake,
    )
    from .core.rig_file import load_rig, rig_from_tensors
    from .core.types import JOINTS, Camera, RigArrays, RigKey

__all__ = [
    "JOINTS",
    "AvatarReady",
    "Camera",
    "Cancel",
    "Cancelled",
    "CreateAvatar",
    "DetectFaces",
    "FacesFound",
    "Failed",
    "LoadAvatar",
    "OutOfResources",
    "Progress",
    "Rebake",
    "RigArrays",
    "RigKey",
    "RomeError",
    "load_rig",
    "rig_from_tensors",
]
