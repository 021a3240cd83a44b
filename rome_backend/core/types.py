# SPDX-License-Identifier: Apache-2.0
"""The frozen dataclasses that flow through the project (docs/architecture.md).

Does not know how any of them is computed, stored or shown.

Letters: V vertices, F faces, S shape, E expression, K joints, L landmarks, T texture side.
Head space: metres, right-handed, +X the subject's left, +Y up, +Z out of the face.
Pixels: x right, y down, (0, 0) the outer corner of the top-left pixel (its centre is 0.5, 0.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

JOINTS = ("root", "neck", "jaw", "left_eye", "right_eye")


@dataclass(frozen=True)
class LandmarkTable:
    """Where MediaPipe's landmarks sit on a head model.

    indices (L,) i32: MediaPipe's landmark number; faces (L,) i32: face of the mesh;
    barycentric (L, 3) f32: weights of that face's corners.
    """

    indices: I32
    faces: I32
    barycentric: F32


@dataclass(frozen=True)
class HeadModel:
    """A head model is data: the open head and FLAME are the same arrays.

    template (V, 3) f32 m, head space; faces (F, 3) i32, counter-clockwise from outside;
    uvs (Vt, 2) f32 in [0, 1], v up; uv_faces (F, 3) i32;
    shape_dirs (V, 3, S) f32 m per standard deviation;
    expression_dirs (V, 3, E) f32 m at value 1, with expression_names (ARKit camelCase);
    pose_dirs (V, 3, 9 (K-1)) f32: correctives per entry of R - I, joints 1.. row by row;
    joint_regressor (K, V) f32; weights (V, K) f32, rows sum to 1; parents (K,) i32, -1 root;
    joint_names: JOINTS, in this order; regions: name -> (V,) bool; landmarks: LandmarkTable;
    topology_id: equal ids mean equal faces, UVs and basis sizes; licence, source: provenance.
    """

    name: str
    topology_id: str
    licence: str
    source: str
    template: F32
    faces: I32
    uvs: F32
    uv_faces: I32
    shape_dirs: F32
    expression_dirs: F32
    expression_names: tuple[str, ...]
    pose_dirs: F32
    joint_regressor: F32
    weights: F32
    parents: I32
    regions: Mapping[str, Mask]
    landmarks: LandmarkTable
    joint_names: tuple[str, ...] = JOINTS


@dataclass(frozen=True)
class OffsetBasis:
    """Linear basis of hair, neck and shoulder offsets (paper section 3.5: 50 hair + 10 neck).

    mean (V, 3) f32 m; dirs (V, 3, 60) f32 m per standard deviation, hair first, then neck,
    mutually orthogonal, ordered by size within each group; names: Hair01..50, Neck01..10.
    """

    mean: F32
    dirs: F32
    names: tuple[str, ...]


@dataclass(frozen=True)
class FlameParams:
    """FLAME parameters of one frame. Rotations are axis-angle in rad, translation in m.

    shape (S,); expression (E,); rotation, neck, jaw (3,); eyes (2, 3) left then right;
    translation (3,). All f64. Leading axes are allowed by functions that say so.
    """

    shape: F64
    expression: F64
    rotation: F64 = field(default_factory=lambda: np.zeros(3))
    neck: F64 = field(default_factory=lambda: np.zeros(3))
    jaw: F64 = field(default_factory=lambda: np.zeros(3))
    eyes: F64 = field(default_factory=lambda: np.zeros((2, 3)))
    translation: F64 = field(default_factory=lambda: np.zeros(3))

    def pose(self) -> F64:
        """Return the five joint rotations (5, 3), axis-angle rad, in the order of JOINTS."""
        return np.stack([self.rotation, self.neck, self.jaw, self.eyes[0], self.eyes[1]])

    def neutral(self) -> FlameParams:
        """Return the same shape with zero expression, pose and translation."""
        return FlameParams(shape=self.shape, expression=np.zeros_like(self.expression))


@dataclass(frozen=True)
class Camera:
    """One clip matrix for perspective and weak perspective alike.

    world_to_clip (4, 4) f64: head or world space (m) to OpenGL clip space
    (x right, y up, z -1 near .. +1 far after division by w); width, height in px.
    """

    world_to_clip: F64
    width: int
    height: int


@dataclass(frozen=True)
class Photo:
    """A decoded photo: rgb (H, W, 3) u8 sRGB, upright; alpha (H, W) u8 or None; its name;
    warnings: stable codes of what was odd; focal_mm: the file's, as on 35 mm film, or None."""

    rgb: U8
    alpha: U8 | None
    name: str
    warnings: tuple[str, ...] = ()
    focal_mm: float | None = None


@dataclass(frozen=True)
class TrackedFace:
    """MediaPipe's 478 landmarks of one face: landmarks (478, 3) f32, x, y in px of the photo,
    z in px, smaller is nearer; score in [0, 1]: confidence that this is a face."""

    landmarks: F32
    score: float


@dataclass(frozen=True)
class HeadCrop:
    """A square crop round head and shoulders that fitting and texture work on.

    rgb (C, C, 3) u8; matte (C, C) f32 in [0, 1], 1 = person; valid (C, C) bool: inside the photo;
    photo_to_crop (2, 3) f64: affine from photo px to crop px;
    landmarks (478, 3) f32 in crop px.
    """

    rgb: U8
    matte: F32
    valid: Mask
    photo_to_crop: F64
    landmarks: F32


@dataclass(frozen=True)
class FaceFit:
    """A face fitted to landmarks: FLAME parameters and the camera that looks straight at it.

    params: shape, expression, jaw, eyes; root and neck turn against each other (neck_split);
    rotation (3, 3) head to view (x right, y up, z to the viewer); translation (2,) px: where the
    head's origin is; scale in px/m there; distance in m of the camera, inf: weak perspective;
    x = n scale (R p)_x + t_x, y = -n scale (R p)_y + t_y with n = 1 / (1 - (R p)_z / distance);
    yaw, pitch, roll in degrees; residual: mean landmark distance in % of inter-ocular distance
    (outer eye corners, MediaPipe 33 and 263) before the texture's registration warp.
    """

    params: FlameParams
    scale: float
    rotation: F64
    translation: F64
    yaw: float
    pitch: float
    roll: float
    residual: float
    distance: float = np.inf


@dataclass(frozen=True)
class Avatar:
    """Everything the project keeps of a person.

    head_model, topology_id: which head model the arrays belong to;
    params: FLAME parameters of the source photo (its shape is the identity);
    offset_coefficients (60,) f32 standard deviations; free_offsets (V, 3) f32 m: what the
    basis cannot say; offsets (V, 3) f32 m: basis mean + basis dirs . coefficients + free;
    albedo (T, T, 3) u8 sRGB; confidence (T, T) u8: 255 where the photo showed the surface;
    neural_texture (C, T, T) f32 or None without networks; weights_id names them;
    neural_preview (T, T, 3) u8 sRGB: what they draw of it, in the texture layout, or None;
    normal_map (T, T, 3) u8, roughness_map (T, T) u8: estimates (texture.surface_maps), or None;
    source_crop (C, C, 3) u8, source_matte (C, C) u8, source_landmarks (478, 3) f32 crop px,
    camera: head space to the source crop; warnings: codes; licences: part -> licence;
    provenance: JSON-able facts (versions, seed, files, fit).
    """

    name: str
    head_model: str
    topology_id: str
    params: FlameParams
    offset_coefficients: F32
    free_offsets: F32
    offsets: F32
    albedo: U8
    confidence: U8
    source_crop: U8
    source_matte: U8
    source_landmarks: F32
    camera: Camera
    warnings: tuple[str, ...]
    licences: Mapping[str, str]
    provenance: Mapping[str, Any]
    neural_texture: F32 | None = None
    weights_id: str = ""
    neural_preview: U8 | None = None
    normal_map: U8 | None = None
    roughness_map: U8 | None = None


@dataclass(frozen=True)
class DrivingFrame:
    """What drives an avatar in one frame; identity stays in the avatar.

    expression (E,) f64; neck, jaw (3,) f64 rad; eyes (2, 3) f64 rad; head_to_world (4, 4) f64.
    """

    expression: F64
    neck: F64
    jaw: F64
    eyes: F64
    head_to_world: F64


@dataclass(frozen=True)
class Motion:
    """A tracked clip: one FaceFit per frame (None where no face was found) and its rate."""

    frames: tuple[FaceFit | None, ...]
    found: Mask
    fps: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class RigKey:
    """One shape key: name, delta (V, 3) f32 m from the Basis, value and slider range.

    driver: None, or (joint name, row, column): the entry of R - I that drives the key.
    """

    name: str
    delta: F32
    value: float = 0.0
    minimum: float = 0.0
    maximum: float = 1.0
    driver: tuple[str, int, int] | None = None


@dataclass(frozen=True)
class RigArrays:
    """A rig without bpy: what blender_addon/rig builds and what the exporters write.

    vertices (V, 3) f32 m: the Basis, identity and free offsets included, head space;
    offsets (V, 3) f32 m: what of the vertices is hair, clothes and neck, not the identity;
    faces, uvs, uv_faces as in HeadModel; keys: shape keys in order, Basis left out;
    joints (K, 3) f32 m: regressed from the neutral identity shape; joint_names, parents, weights;
    eye_faces (F,) bool: faces of the eyeballs; regions: name -> (V,) bool;
    albedo (T, T, 3) u8, confidence (T, T) u8, photo (C, C, 3) u8: the source crop;
    neural_preview (T, T, 3) u8, normal_map (T, T, 3) u8, roughness_map (T, T) u8: or None;
    camera: head space to that crop; properties: JSON-able custom properties of the object.
    """

    name: str
    vertices: F32
    offsets: F32
    faces: I32
    uvs: F32
    uv_faces: I32
    keys: tuple[RigKey, ...]
    joints: F32
    joint_names: tuple[str, ...]
    parents: I32
    weights: F32
    eye_faces: Mask
    regions: Mapping[str, Mask]
    albedo: U8
    confidence: U8
    photo: U8
    camera: Camera
    properties: Mapping[str, Any]
    neural_preview: U8 | None = None
    normal_map: U8 | None = None
    roughness_map: U8 | None = None
