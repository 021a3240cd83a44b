# SPDX-License-Identifier: Apache-2.0
"""The messages about frames: what heads show, who draws them, a frame and its passes.

Does not know other messages; messages.py has the list of all.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import ProtocolError
from .message_arrays import (
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

PASSES = ("combined", "mask", "depth", "uv", "normal")
RENDERERS = ("auto", "textured", "rome")
PICTURE_SIDES = (256, 512)
MAX_SIDE = 1 << 16


def _nonsense(problem: str) -> ProtocolError:
    return ProtocolError("message_invalid", problem, "Update the add-on or report this.")


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
