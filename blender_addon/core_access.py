# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where the add-on reaches the shared core.

Does not know bpy. In the built extension the core lies inside the add-on as ``.core``;
in the checkout it is ``rome_backend.core``.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING or find_spec(f"{__package__}.core") is None:
    from rome_backend.core.atomic_file import replacing
    from rome_backend.core.avatar_text import Packed, pack_steps, unpacked
    from rome_backend.core.camera import crop_camera, orbit
    from rome_backend.core.errors import Cancelled, OutOfResources, ProtocolError, RomeError
    from rome_backend.core.frame_messages import PASSES, PICTURE_SIDES
    from rome_backend.core.identity_names import (
        IDENTITY_JOINTS,
        JOINTS_PROPERTY,
        identity_label,
        is_identity_key,
    )
    from rome_backend.core.message_codec import receive, send
    from rome_backend.core.messages import (
        PROTOCOL,
        AvatarKept,
        AvatarReady,
        Cancel,
        CreateAvatar,
        DetectFaces,
        FacesFound,
        Failed,
        FrameReady,
        Hello,
        KeepAvatar,
        LoadAvatar,
        Message,
        Progress,
        Rebake,
        RenderFrame,
        SetSurface,
        Shutdown,
        SurfaceReady,
        Welcome,
    )
    from rome_backend.core.pixels import linear_to_srgb, srgb_to_linear
    from rome_backend.core.plain_words import plain_words
    from rome_backend.core.rig_file import load_rig, rig_from_tensors
    from rome_backend.core.types import JOINTS, Camera, RigArrays, RigKey
else:
    from .core.atomic_file import replacing
    from .core.avatar_text import Packed, pack_steps, unpacked
    from .core.camera import crop_camera, orbit
    from .core.errors import Cancelled, OutOfResources, ProtocolError, RomeError
    from .core.frame_messages import PASSES, PICTURE_SIDES
    from .core.identity_names import (
        IDENTITY_JOINTS,
        JOINTS_PROPERTY,
        identity_label,
        is_identity_key,
    )
    from .core.message_codec import receive, send
    from .core.messages import (
        PROTOCOL,
        AvatarKept,
        AvatarReady,
        Cancel,
        CreateAvatar,
        DetectFaces,
        FacesFound,
        Failed,
        FrameReady,
        Hello,
        KeepAvatar,
        LoadAvatar,
        Message,
        Progress,
        Rebake,
        RenderFrame,
        SetSurface,
        Shutdown,
        SurfaceReady,
        Welcome,
    )
    from .core.pixels import linear_to_srgb, srgb_to_linear
    from .core.plain_words import plain_words
    from .core.rig_file import load_rig, rig_from_tensors
    from .core.types import JOINTS, Camera, RigArrays, RigKey

__all__ = [
    "IDENTITY_JOINTS",
    "JOINTS",
    "JOINTS_PROPERTY",
    "PASSES",
    "PICTURE_SIDES",
    "PROTOCOL",
    "AvatarKept",
    "AvatarReady",
    "Camera",
    "Cancel",
    "Cancelled",
    "CreateAvatar",
    "DetectFaces",
    "FacesFound",
    "Failed",
    "FrameReady",
    "Hello",
    "KeepAvatar",
    "LoadAvatar",
    "Message",
    "OutOfResources",
    "Packed",
    "Progress",
    "ProtocolError",
    "Rebake",
    "RenderFrame",
    "RigArrays",
    "RigKey",
    "RomeError",
    "SetSurface",
    "Shutdown",
    "SurfaceReady",
    "Welcome",
    "crop_camera",
    "identity_label",
    "is_identity_key",
    "linear_to_srgb",
    "load_rig",
    "plain_words",
    "orbit",
    "pack_steps",
    "receive",
    "replacing",
    "rig_from_tensors",
    "send",
    "srgb_to_linear",
    "unpacked",
]
