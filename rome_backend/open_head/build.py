# SPDX-License-Identifier: Apache-2.0
"""Assembles the open head.

Does not know where caches live: the caller names the folder.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import I32, LandmarkTable
from rome_backend.open_head.atlas import build_atlas
from rome_backend.open_head.eyeballs import SECTORS, eyeball
from rome_backend.open_head.geometry import (
    EYEBALL_VERTICES,
    FACE_LANDMARKS,
    SKIN_VERTICES,
    HeadGeometry,
)
from rome_backend.open_head.regions import build_regions
from rome_backend.open_head.skinning_weights import PARENTS, build_joint_regressor, build_weights
from rome_backend.open_head.surface import build_skin

IRIS_RING = 3


def build_geometry() -> HeadGeometry:
    """Return the mean head: surface, atlas, regions, landmarks, joints and weights."""
    skin = build_skin()
    eye, eye_faces = eyeball(skin.eye_centre)
    vertices = np.concatenate([skin.vertices, eye, eye * (-1, 1, 1)])
    left, right = SKIN_VERTICES, SKIN_VERTICES + EYEBALL_VERTICES
    faces = np.concatenate([skin.faces, eye_faces + left, eye_faces[:, ::-1] + right])
    numbers = np.arange(EYEBALL_VERTICES)
    uvs, uv_faces = build_atlas(skin)
    return HeadGeometry(
        vertices=vertices,
        faces=faces.astype(np.int32),
        uvs=uvs,
        uv_faces=uv_faces,
        mirror=np.r_[skin.mirror, right + numbers, left + numbers].astype(np.int32),
        weights=build_weights(skin),
        joint_regressor=build_joint_regressor(skin, vertices),
        parents=np.array(PARENTS, dtype=np.int32),
        regions=build_regions(skin),
        landmarks=landmark_table(faces),
    )


def landmark_table(faces: I32) -> LandmarkTable:
    """Return MediaPipe's 478 landmarks, each exactly on a vertex of faces (F, 3).

    The first 468 are the skin's first vertices; the irises' are the eyeballs' front poles and
    four points of the ring 6 mm round them, towards +X, +Y, -X, -Y.
    """
    quarter = SECTORS // 4
    ring = 1 + (IRIS_RING - 1) * SECTORS + quarter * np.arange(4)
    left = SKIN_VERTICES + np.r_[0, ring]
    right = SKIN_VERTICES + EYEBALL_VERTICES + np.r_[0, ring[[2, 1, 0, 3]]]
    vertices = np.r_[np.arange(FACE_LANDMARKS), right, left]
    face_of = np.full(faces.max() + 1, -1)
    corner_of = face_of.copy()
    for corner in range(3):
        face_of[faces[:, corner]] = np.arange(len(faces))
        corner_of[faces[:, corner]] = corner
    return LandmarkTable(
        np.arange(len(vertices), dtype=np.int32),
        face_of[vertices].astype(np.int32),
        np.eye(3, dtype=np.float32)[corner_of[vertices]],
    )
