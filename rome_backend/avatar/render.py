# SPDX-License-Identifier: Apache-2.0
"""Pictures of an avatar: any camera, a set of expressions.

Does not know how pictures are laid out on a page or written to files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rome_backend.avatar.animate import avatar_vertices, expression_params
from rome_backend.core.camera import orbit
from rome_backend.core.types import F64, U8, Avatar, Camera, FlameParams, HeadModel
from rome_backend.render.shading import picture

MARGIN = 1.06
PAPER = (244, 243, 240)
VIEW_DISTANCE = 2.0


@dataclass(frozen=True)
class Expression:
    """A named face to show: ARKit values and the jaw bone's opening in degrees."""

    title: str
    values: Mapping[str, float] = field(default_factory=dict)
    jaw_deg: float = 0.0


EXPRESSIONS = (
    Expression("jaw open", jaw_deg=18.0),
    Expression("smile", {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9}),
    Expression("blink", {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}),
    Expression(
        "brows up", {"browInnerUp": 1.0, "browOuterUpLeft": 1.0, "browOuterUpRight": 1.0}
    ),
    Expression("pucker", {"mouthPucker": 0.9}),
)


def expressions_of(head: HeadModel) -> tuple[Expression, ...]:
    """Return the faces to show: EXPRESSIONS, or components where a head has those instead."""
    if all(name in head.expression_names for face in EXPRESSIONS for name in face.values):
        return EXPRESSIONS
    shown = [Expression(f"{name} +2", {name: 2.0}) for name in head.expression_names[:4]]
    return (EXPRESSIONS[0], *shown)


def camera_round(vertices: F64, yaw_deg: float, pitch_deg: float, size: int) -> Camera:
    """Return a camera that frames vertices (V, 3) m in a square of ``size`` px from any side.

    yaw 0 is the front of the face; positive yaw shows the subject's left side.
    """
    low, high = vertices.min(0), vertices.max(0)
    extent = float((high - low).max()) * MARGIN
    return orbit((low + high) / 2, VIEW_DISTANCE, yaw_deg, pitch_deg, extent, size, size)


def avatar_picture(
    avatar: Avatar,
    head: HeadModel,
    camera: Camera,
    params: FlameParams | None = None,
    clay: bool = False,
    background: tuple[int, int, int] | None = PAPER,
) -> U8:
    """Draw the avatar (H, W, 4) u8 sRGB, straight alpha.

    Args:
        camera: head space to the picture; params: expression and pose, None for neutral;
        clay: without its texture; background: sRGB, None for transparent.

    Raises FileInvalid (`topology_mismatch`) for another head model.
    """
    vertices = avatar_vertices(avatar, head, params)
    albedo = None if clay else avatar.albedo
    return picture(
        vertices, head.faces, head.uvs, head.uv_faces, camera, albedo, background=background
    )


def expression_pictures(
    avatar: Avatar, head: HeadModel, size: int, yaw_deg: float = 0.0, clay: bool = False
) -> list[U8]:
    """Return one square picture (size, size, 4) per face of expressions_of, closer to the face."""
    camera = face_camera(avatar, head, yaw_deg, size)
    return [
        avatar_picture(
            avatar, head, camera, expression_params(avatar, head, face.values, face.jaw_deg), clay
        )
        for face in expressions_of(head)
    ]


def face_camera(avatar: Avatar, head: HeadModel, yaw_deg: float, size: int) -> Camera:
    """Return a camera that frames the neutral avatar's face region with its surroundings."""
    face = avatar_vertices(avatar, head)[head.regions["face"]]
    low, high = face.min(0), face.max(0)
    height = float((high - low)[:2].max()) * 1.3
    return orbit((low + high) / 2, VIEW_DISTANCE, yaw_deg, 0.0, height, size, size)
