# SPDX-License-Identifier: Apache-2.0
"""Photographs an invented person: pose, camera, light, background; the picture and its masks.

Does not know how people are drawn, and nothing of shards.

Made with the system's own pose and camera (driven_pose), so that its parameters are exact. Eyes
turn too, which no parameter of the system says.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from rome_backend.avatar.driven_pose import DrivenPose, project_head
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.landmarks_68 import MEDIAPIPE_68
from rome_backend.core.normals import vertex_normals
from rome_backend.core.pixels import linear_to_srgb, srgb_to_linear
from rome_backend.core.rotations import (
    axis_angle_from_matrix,
    matrix_from_yaw_pitch_roll,
    rotation_matrices,
)
from rome_backend.core.skinning import regress_joints, shape_vertices, skin
from rome_backend.core.types import F32, F64, U8, Camera, HeadModel
from rome_backend.render.interpolate import interpolate_corners, interpolate_vertices
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.render.texture import sample_texture
from training.data.synthetic.noise import smooth_picture
from training.data.synthetic.person import Person
from training.data.synthetic.strands import Strands

_JAW, _LEFT_EYE, _RIGHT_EYE = 2, 3, 4
_SUPERSAMPLE = 2
_WRAP = 0.2  # light reaches this far past the terminator
_INSIDE = 0.12  # of the light reaches the mouth's inside and the neck's


@dataclass(frozen=True)
class Shot:
    """What a person does in a picture, and how it is taken.

    expression (E,); jaw, rotation (3,) rad; eyes (2, 3) rad; camera (3,): s, tx, ty;
    lights: directions (L, 3) to them in view space, unit, and colours (L, 3) linear;
    ambient (3,) linear; background (B, B, 3) f32 in [0, 1]; noise: its spread, of 255.
    """

    expression: F64
    jaw: F64
    rotation: F64
    eyes: F64
    camera: F64
    lights: tuple[F64, F64]
    ambient: F64
    background: F32
    noise: float


@dataclass(frozen=True)
class Picture:
    """rgb (T, T, 3) u8 sRGB; labels (T, T) u8: of person.LABELS; matte (T, T) u8;
    landmarks (68, 2) f64 px; pose: what the system is told (N = 1); vertices (V, 3) f64 m: what
    was photographed, in head space; camera: head space to the picture."""

    rgb: U8
    labels: U8
    matte: U8
    landmarks: F64
    pose: DrivenPose
    vertices: F64
    camera: Camera


def draw_shot(random: np.random.Generator, head: HeadModel, turn: float, scale: float) -> Shot:
    """Return a shot: ``turn`` is the spread of the yaw in degrees, ``scale`` the camera's middle s.

    The same state of ``random`` gives the same one.
    """
    yaw, pitch = np.clip(random.normal(0, (turn, 0.4 * turn)), -60, 60)
    rotation = matrix_from_yaw_pitch_roll(yaw, pitch, np.clip(random.normal(0, 5), -15, 15))
    gaze = np.array([random.normal(0, 0.12), random.normal(0, 0.2), 0.0])
    size = scale * random.uniform(0.88, 1.15)
    count = random.integers(1, 4)
    direction = random.normal(size=(count, 3)) * [1.2, 0.7, 0.5] + [0, 0.5, 0.9]
    strength = random.uniform(0.15, 1.0, (count, 1)) * random.normal(1, 0.12, (count, 3))
    ambient = random.uniform(0.15, 0.6) * random.normal(1, 0.08, 3)
    exposure = random.uniform(0.9, 1.35) / (np.abs(strength).sum(0).mean() * 0.6 + ambient.mean())
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return Shot(
        expression=draw_expression(random, head),
        jaw=np.array([max(0.0, random.uniform(-0.12, 0.25)), 0.0, 0.0]),
        rotation=axis_angle_from_matrix(rotation),
        eyes=np.stack([gaze, gaze]),
        camera=np.array([size, random.normal(0, 0.01), 0.02 + random.normal(0, 0.012)]),
        lights=(direction, np.clip(strength, 0, None) * exposure),
        ambient=np.clip(ambient, 0, None) * exposure,
        background=smooth_picture(random, 64, int(random.integers(1, 9))),
        noise=random.uniform(0, 3),
    )


def draw_expression(random: np.random.Generator, head: HeadModel) -> F64:
    """Return expression values (E,): a few keys, both sides of a face nearly alike."""
    values: dict[str, float] = {}
    bases = sorted({_base(name) for name in head.expression_names} - {"tongueOut"})
    for base in random.choice(bases, min(int(random.integers(0, 7)), len(bases)), replace=False):
        values[str(base)] = random.beta(1.2, 2.0)
    uneven = random.normal(1, 0.12, len(head.expression_names))
    found = [values.get(_base(name), 0.0) for name in head.expression_names]
    return np.clip(np.array(found) * uneven, 0, 1)


def _base(name: str) -> str:
    return name.removesuffix("Left").removesuffix("Right")


def take_picture(
    random: np.random.Generator,
    head: HeadModel,
    person: Person,
    shot: Shot,
    side: int,
    strands: Strands | None = None,
) -> Picture:
    """Return the picture of a person (side x side px) with its labels, matte and landmarks.

    strands: drawn with the person, seen from both sides.
    """
    vertices, root = _posed(head, person, shot)
    pose = _driven_pose(person, shot)
    mesh = _mesh(head, vertices[0], shot, strands)
    projected = project_head(mesh.vertices[None], root, pose)
    large = _SUPERSAMPLE * side
    fragments = TorchRasterizer().rasterize(projected, mesh.faces, large, large)
    uv = interpolate_corners(fragments, mesh.uvs)
    texture = torch.as_tensor(person.albedo).permute(2, 0, 1).float()[None]
    albedo = sample_texture(texture, uv)[0].numpy() / 255
    normals = interpolate_vertices(fragments, mesh.faces, mesh.normals)[0].numpy()
    light = _light(shot, normals, person.shine)
    covered = fragments.covered()[0].numpy()
    away = _faces_away(projected[0], mesh.faces)
    away[len(head.faces) :] = False
    light *= np.where(away[fragments.face_index[0]], _INSIDE, 1)[..., None]
    rgb = linear_to_srgb(np.clip(srgb_to_linear(albedo) * light, 0, 1))
    alpha = _halved(covered[..., None].astype(np.float32))
    mean = _halved((rgb * covered[..., None]).astype(np.float32))
    ground = cv2.resize(shot.background, (side, side), interpolation=cv2.INTER_LINEAR)
    picture = 255 * (mean + (1 - alpha) * ground)
    picture += random.normal(0, shot.noise, picture.shape)
    labels = cv2.medianBlur(_nearest_labels(person.labels, uv[0].numpy(), covered), 3)[::2, ::2]
    table = head.landmarks
    points = landmark_points(projected[0].double().numpy(), head.faces, table)
    row = {int(index): at for at, index in enumerate(table.indices)}
    landmarks = (points[[row[index] for index in MEDIAPIPE_68], :2] + 1) / 2 * side
    own, camera = vertices[0].double().numpy(), pose_camera(pose, root, side)
    matte = _bytes(255 * alpha[..., 0])
    return Picture(_bytes(picture), labels, matte, landmarks, pose, own, camera)


@dataclass(frozen=True)
class _Mesh:
    """vertices (P, 3) f32 m; faces (Q, 3) i64; uvs (Q, 3, 2) f32; normals (P, 3) f32, view space:
    the head's, then the strands'."""

    vertices: torch.Tensor
    faces: torch.Tensor
    uvs: torch.Tensor
    normals: torch.Tensor


def _mesh(head: HeadModel, vertices: torch.Tensor, shot: Shot, strands: Strands | None) -> _Mesh:
    faces = torch.as_tensor(np.array(head.faces, np.int64))
    uvs = torch.as_tensor(head.uvs)[torch.as_tensor(np.array(head.uv_faces, np.int64))]
    turned = vertex_normals(vertices.numpy(), head.faces) @ rotation_matrices(shot.rotation).T
    normals = torch.as_tensor(turned).float()
    if strands is None:
        return _Mesh(vertices, faces, uvs, normals)
    roots, ribbons = torch.as_tensor(strands.roots), torch.as_tensor(strands.faces)
    points = vertices[roots] + torch.as_tensor(strands.shifts).float()
    return _Mesh(
        torch.cat([vertices, points]),
        torch.cat([faces, ribbons + len(vertices)]),
        torch.cat([uvs, torch.as_tensor(strands.uvs)[ribbons]]),
        torch.cat([normals, normals[roots]]),
    )


def _posed(head: HeadModel, person: Person, shot: Shot) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the vertices (1, V, 3) in the head's own frame, offsets added, and the root (1, 3)."""
    shaped = shape_vertices(head, person.shape, shot.expression)
    joints = regress_joints(head, shaped)
    turns = np.zeros(joints.shape)
    turns[_JAW], turns[_LEFT_EYE], turns[_RIGHT_EYE] = shot.jaw, *shot.eyes
    vertices = skin(shaped, joints, rotation_matrices(turns), head) + person.offsets
    return torch.as_tensor(vertices)[None].float(), torch.as_tensor(joints[:1]).float()


def _driven_pose(person: Person, shot: Shot) -> DrivenPose:
    parts = (person.shape, shot.expression, shot.jaw, shot.rotation, shot.camera)
    return DrivenPose(*(torch.as_tensor(each, dtype=torch.float32)[None] for each in parts))


def pose_camera(pose: DrivenPose, root: torch.Tensor, side: int) -> Camera:
    """Return the camera of a pose (N = 1): head space, turned about the root (1, 3), to a picture
    of side x side px. The same places as project_head's."""
    rotation = rotation_matrices(pose.rotation[0].double().numpy())
    centre = root[0].double().numpy()
    scale, x, y = pose.camera[0].double().numpy()
    clip = np.eye(4)
    clip[:3, :3] = scale * rotation * [[1], [1], [-1]]
    moved = centre - rotation @ centre
    clip[:3, 3] = scale * np.array([moved[0] + x, moved[1] + y, -moved[2]])
    return Camera(clip, side, side)


def _faces_away(projected: torch.Tensor, faces: torch.Tensor) -> np.ndarray:
    """Whether faces (F,) of vertices (V, 3) in image NDC show their inner side."""
    first, second, third = projected[faces].unbind(1)
    a, b = second - first, third - first
    return (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] > 0).numpy()


def _light(shot: Shot, normals: F32, shine: float) -> F64:
    """Return linear light (H, W, 3) on normals (H, W, 3) of view space, with a soft gleam."""
    unit = normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
    up = (0.75 + 0.25 * unit[..., 1:2]) * shot.ambient
    total = np.asarray(up, np.float64)
    for direction, colour in zip(*shot.lights, strict=True):
        amount = np.clip((unit @ direction + _WRAP) / (1 + _WRAP), 0, None)
        between = direction + [0, 0, 1]
        gleam = np.clip(unit @ (between / np.linalg.norm(between)), 0, None) ** 24
        total = total + (amount + 0.25 * shine * gleam)[..., None] * colour
    return total


def _nearest_labels(labels: U8, uv: F32, covered: np.ndarray) -> U8:
    side = len(labels)
    column = np.clip((uv[..., 0] * side).astype(int), 0, side - 1)
    row = np.clip(((1 - uv[..., 1]) * side).astype(int), 0, side - 1)
    return np.where(covered, labels[row, column], 0).astype(np.uint8)


def _halved(values: F32) -> F32:
    """Average 2 x 2 blocks of (H, W, C)."""
    height, width, channels = values.shape
    return values.reshape(height // 2, 2, width // 2, 2, channels).mean((1, 3))


def _bytes(values: np.ndarray) -> U8:
    return (np.clip(values, 0, 255) + 0.5).astype(np.uint8)
