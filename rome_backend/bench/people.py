# SPDX-License-Identifier: Apache-2.0
"""Synthetic people of known identity and photos of them.

Does not know what is measured on them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rome_backend.core.camera import perspective
from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import F32, F64, U8, FlameParams, HeadModel, OffsetBasis
from rome_backend.render.shading import picture

SIDE = 512
_FOCAL = 3.0 * SIDE  # a portrait lens: the picture is a third as wide as it is away
_DISTANCE_M = (0.9, 1.5)
_HAIR_SPREAD = 0.7
_LONGEST = 1.15  # of the length that is usual for normal numbers in so many dimensions
_KEYS = ("mouthSmile", "browInnerUp", "browDown", "eyeSquint", "mouthPucker", "mouthPress")


@dataclass(frozen=True)
class Person:
    """A synthetic person: shape (S,) standard deviations; offsets (V, 3) f32 m, hair and neck;
    tint (3,): gain of the texture's colours."""

    shape: F64
    offsets: F32
    tint: F64


@dataclass(frozen=True)
class Shot:
    """How a person is photographed: yaw, pitch, roll in degrees; expression (E,) values; jaw in
    rad; light 0 flat .. 1 as strong as clay's; backdrop: sRGB."""

    yaw: float
    pitch: float
    roll: float
    expression: F64
    jaw: float
    light: float
    backdrop: tuple[int, int, int]


def draw_person(head: HeadModel, basis: OffsetBasis, random: np.random.Generator) -> Person:
    """Return a person drawn from the head's identity space, with hair of the offset basis."""
    size = head.shape_dirs.shape[2]
    shape = random.normal(size=size)
    shape *= min(1.0, _LONGEST * np.sqrt(size) / float(np.linalg.norm(shape)))
    hair = np.array([name.startswith("Hair") for name in basis.names])
    coefficients = np.where(hair, np.clip(random.normal(size=len(hair)), -2, 2) * _HAIR_SPREAD, 0)
    offsets = basis.mean + basis.dirs @ coefficients.astype(np.float32)
    tint = np.clip(random.uniform(0.55, 1.1) * (1 + 0.06 * random.normal(size=3)), 0.4, 1.2)
    return Person(shape, offsets.astype(np.float32), tint)


def draw_shot(head: HeadModel, yaw: float, lively: bool, random: np.random.Generator) -> Shot:
    """Return a photo's setting at about a yaw; lively: with an expression, else neutral."""
    expression = np.zeros(len(head.expression_names))
    jaw = 0.0
    if lively:
        key = str(random.choice(_KEYS))
        for k, name in enumerate(head.expression_names):
            if name.startswith(key):
                expression[k] = random.uniform(0.2, 0.7)
        jaw = float(np.radians(random.uniform(0, 6)))
    grey = int(random.integers(60, 220))
    return Shot(
        yaw + float(random.uniform(-2, 2)),
        float(random.uniform(-6, 6)),
        float(random.uniform(-5, 5)),
        expression,
        jaw,
        float(random.uniform(0.0, 0.8)),
        (grey, grey, grey),
    )


def turned(shot: Shot) -> F64:
    """Return the head's rotation (3, 3), head to view, in a photo."""
    axes = np.radians([[0, shot.yaw, 0], [shot.pitch, 0, 0], [0, 0, shot.roll]])
    turns = rotation_matrices(axes)
    return turns[0] @ turns[1] @ turns[2]


def photograph(
    head: HeadModel, person: Person, albedo: U8, shot: Shot, random: np.random.Generator
) -> U8:
    """Return a photo (512, 512, 3) u8 sRGB of a person through a pinhole camera.

    albedo (T, T, 3) u8: the texture of all people, tinted by the person's own tint.
    """
    jaw = np.array([shot.jaw, 0.0, 0.0])
    params = FlameParams(shape=person.shape, expression=shot.expression, jaw=jaw)
    vertices = posed_vertices(head, params, person.offsets)
    rotation = turned(shot)
    away = float(random.uniform(*_DISTANCE_M))
    shift = -rotation @ np.array([0.0, -0.02, -0.03]) - np.array([0.0, 0.0, away])
    focal = _FOCAL * away / 1.2
    camera = perspective(focal, rotation, shift, SIDE, SIDE)
    colours = np.clip(albedo * person.tint, 0, 255).astype(np.uint8)
    drawn = picture(
        vertices, head.faces, head.uvs, head.uv_faces, camera, colours,
        supersample=1, background=shot.backdrop, light=shot.light,
    )  # fmt: skip
    return np.ascontiguousarray(drawn[..., :3])
