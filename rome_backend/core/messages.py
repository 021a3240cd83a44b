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

from .errors import ProtocolError
from .framing import Array
from .message_arrays import (
    Boxes,
    Bytes,
    CornerUvs,
    Faces,
    Layer1,
    Layer2,
    Layer3,
    Layer4,
    Matrix,
    Picture,
    Points,
)

PROTOCOL = 3
PASSES = ("combined", "mask", "depth", "uv", "normal")
RENDERERS = ("auto", "textured", "rome")
PICTURE_SIDES = (256, 512)
MAX_SIDE = 1 << 16
Json = Mapping[str, Any]
Tensors = Mapping[str, Array]


def _nonsense(problem: str) -> ProtocolError:
    return ProtocolError("message_invalid", problem, "Update the add-on or report this.")


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

    size: side of the texture, px; face: by size, 0 the largest; head: as `rome create --head`.
    """

    request_id: int
    photos: tuple[str, ...]
    size: int = 1024
    face: int = 0
    seed: int = 0
    head: str = "open"


@dataclass(frozen=True)
class LoadAvatar:
    """Take in an avatar. data: the bytes of a .rome file. Answer: AvatarReady."""

    request_id: int
    data: Bytes


@dataclass(frozen=True)
class KeepAvatar:
    """Keep what draws an avatar by networks, as avatar_id. Answer: AvatarKept.

    text: the avatar's file as avatar_text packs it, the way it lies in a .blend.
    """

    request_id: int
    avatar_id: str
    text: Bytes


@dataclass(frozen=True)
class AvatarKept:
    """An avatar that frames can be drawn of, until many newer ones take its place."""

    request_id: int
    avatar_id: str


@dataclass(frozen=True)
class Rebake:
    """Bake a known avatar's texture again from its source photo. Answer: AvatarReady.

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
class SetSurface:
    """Keep what a head shows wherever its vertices are, as surface_id. Answer: SurfaceReady.

    It comes from Blender, not from the avatar, so that modifiers, edited UVs and a painted
    texture are drawn. faces (F, 3): vertices, counter-clockwise from outside; uvs (F, 3, 2) of
    their corners, v up; the texture: albedo (H, W, 3) sRGB, top row first, or the bytes of a PNG
    with those pixels, 8-bit RGB or RGBA whose alpha is of no importance.
    """

    request_id: int
    surface_id: str
    faces: Faces
    uvs: CornerUvs
    albedo: Picture | None = None
    albedo_png: Bytes | None = None

    def __post_init__(self) -> None:
        """Raise ProtocolError (`message_invalid`) unless there is one texture."""
        if (self.albedo is None) == (self.albedo_png is None):
            raise _nonsense("A surface was sent without one texture.")


@dataclass(frozen=True)
class SurfaceReady:
    """A surface that the backend now knows, until many newer ones take its place."""

    request_id: int
    surface_id: str


@dataclass(frozen=True)
class RenderFrame:
    """Draw heads as Blender evaluated them. Answer: FrameReady, or Failed `surface_unknown`.

    width, height: px; world_to_clip: OpenGL clip space; world_to_view: x right, y up, z to the
    viewer (depth is -z); per head: surface_ids, vertices (V, 3) m in world space, in the order
    of the surface, and head_to_world; passes: of PASSES; renderer: of RENDERERS, what draws
    combined: the textured mesh, the networks "rome", or "auto": these where they can be had;
    picture_side: px of what the networks draw of a head; avatar_ids: of KeepAvatar per head, ""
    where it has no neural texture, empty for "textured" (unknown ones: Failed `avatar_unknown`);
    viewport: a newer viewport frame replaces this one while it waits (then Failed `replaced`).
    """

    request_id: int
    width: int
    height: int
    world_to_clip: Matrix
    world_to_view: Matrix
    surface_ids: tuple[str, ...]
    vertices: tuple[Points, ...]
    head_to_world: tuple[Matrix, ...]
    passes: tuple[str, ...] = ("combined",)
    renderer: str = "textured"
    viewport: bool = False
    avatar_ids: tuple[str, ...] = ()
    picture_side: int = PICTURE_SIDES[0]

    def __post_init__(self) -> None:
        """Raise ProtocolError (`message_invalid`) unless the parts fit each other."""
        counts = {len(self.surface_ids), len(self.vertices), len(self.head_to_world)}
        if self.renderer != "textured":
            counts.add(len(self.avatar_ids))
        sized = all(1 <= side <= MAX_SIDE for side in (self.width, self.height))
        known = self.renderer in RENDERERS and self.picture_side in PICTURE_SIDES
        if len(counts) != 1 or not sized or not known or not set(self.passes) <= set(PASSES):
            raise _nonsense("A frame was asked for whose heads, size or passes make no sense.")


@dataclass(frozen=True)
class FrameReady:
    """A drawn frame, top row first; passes that were not asked for are None.

    combined (H, W, 4): sRGB-encoded in [0, 1], straight alpha; mask (H, W): coverage in [0, 1];
    depth (H, W): m along the view axis, inf where there is no head; uv (H, W, 2), v up;
    normal (H, W, 3): unit, world space. drawn_by: of RENDERERS per head, what drew it; note: why
    "auto" drew a head without the networks, "" where all are drawn by them or nobody asked.
    """

    request_id: int
    combined: Layer4 | None = None
    mask: Layer1 | None = None
    depth: Layer1 | None = None
    uv: Layer2 | None = None
    normal: Layer3 | None = None
    drawn_by: tuple[str, ...] = ()
    note: str = ""


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
