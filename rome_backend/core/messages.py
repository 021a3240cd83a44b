# SPDX-License-Identifier: Apache-2.0
"""The messages between Blender and the backend: frozen dataclasses, and their way to frames.

Does not know pipes, processes or what anybody does with a message.

Requests carry a request_id (> 0) that their answer, Progress and Failed repeat; request_id 0 in
Failed means the connection itself. Colour in frames is sRGB-encoded and straight; the add-on
converts to scene-linear. Bump PROTOCOL whenever a message changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from .frame_messages import (
    AvatarKept,
    FrameReady,
    KeepAvatar,
    RenderFrame,
    SetSurface,
    SurfaceReady,
)
from .framing import Array
from .message_arrays import Boxes, Bytes, Picture

PROTOCOL = 4
Json = Mapping[str, Any]
Tensors = Mapping[str, Array]


@dataclass(frozen=True)
class Hello:
    """The add-on's first message: PROTOCOL and version of the add-on. Answer: Welcome."""

    protocol: int
    version: str


@dataclass(frozen=True)
class Welcome:
    """The backend's first message, also when its protocol differs: the add-on compares.

    device: what was chosen to compute (auto, cpu, cuda); python: version; weights: id of the
    neural weights, "" if none.
    """

    protocol: int
    version: str
    device: str = ""
    python: str = ""
    weights: str = ""


@dataclass(frozen=True)
class CreateAvatar:
    """Make an avatar from photos (paths) of one person. Answer: AvatarReady.

    size: side of the texture, px; face: by size, 0 the largest; head, tracker, networks: the words
    of `rome create`, with auto for what is installed; neural_size: of a neural texture, px;
    face_tightness: how far the networks may move the face; delight: as in Rebake;
    focal_length: of the lens in mm of 35 mm film, 0: what the photo says, if anything.
    """

    request_id: int
    photos: tuple[str, ...]
    size: int = 1024
    face: int = 0
    seed: int = 0
    head: str = "open"
    tracker: str = "auto"
    networks: str = "auto"
    neural_size: int = 256
    face_tightness: float = 0.0
    delight: bool = False
    focal_length: float = 0.0


@dataclass(frozen=True)
class LoadAvatar:
    """Take in an avatar. data: the bytes of a .rome file. Answer: AvatarReady."""

    request_id: int
    data: Bytes


@dataclass(frozen=True)
class Rebake:
    """Bake a known avatar's texture again from its source photo, and its neural preview from its
    neural texture. Answer: AvatarReady.

    size: side of the texture, px; delight: whether the photo's light is taken out.
    """

    request_id: int
    avatar_id: str
    size: int = 1024
    delight: bool = False


@dataclass(frozen=True)
class AvatarReady:
    """An avatar the backend now knows as avatar_id.

    rig, rig_metadata: for core.rig_file.rig_from_tensors; avatar: the bytes of its .rome file;
    faces: found in the source photo (0 when it was loaded); warnings: codes;
    licences: part -> licence; seconds: stage -> how long it took;
    weights: id of the networks that its neural texture is for, "" where it has none.
    """

    request_id: int
    avatar_id: str
    name: str
    rig: Tensors
    rig_metadata: Json
    avatar: Bytes
    faces: int = 0
    warnings: tuple[str, ...] = ()
    licences: Json = field(default_factory=dict)
    seconds: Json = field(default_factory=dict)
    weights: str = ""


@dataclass(frozen=True)
class DetectFaces:
    """Find the faces of a photo (path), without judging them. Answer: FacesFound."""

    request_id: int
    photo: str


@dataclass(frozen=True)
class FacesFound:
    """The faces of a photo, largest first.

    boxes (n, 4): left, top, right, bottom in px of the upright photo of width x height;
    thumbnail: that photo made small.
    """

    request_id: int
    width: int
    height: int
    boxes: Boxes
    thumbnail: Picture


@dataclass(frozen=True)
class Cancel:
    """Stop a request; its answer is Failed `cancelled`, or what was ready before."""

    request_id: int


@dataclass(frozen=True)
class Shutdown:
    """End the backend; closing the pipe does the same."""


@dataclass(frozen=True)
class Progress:
    """How far a request is: stage, fraction in [0, 1], seconds left (None: not known yet)."""

    request_id: int
    stage: str
    fraction: float
    eta_seconds: float | None = None


@dataclass(frozen=True)
class Failed:
    """A request that has no other answer; code, message, hint and exit_code as in RomeError."""

    request_id: int
    code: str
    message: str
    hint: str = ""
    exit_code: int = 1


Message = (
    Hello | Welcome | CreateAvatar | LoadAvatar | Rebake | AvatarReady | KeepAvatar | AvatarKept
    | SetSurface | SurfaceReady | RenderFrame | FrameReady | DetectFaces | FacesFound | Cancel
    | Shutdown | Progress | Failed
)  # fmt: skip
TYPES: Mapping[str, type[Any]] = {each.__name__: each for each in get_args(Message)}
