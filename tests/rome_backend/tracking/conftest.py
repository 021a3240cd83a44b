# SPDX-License-Identifier: Apache-2.0
"""A small head model for tests of the face fit: MediaPipe's mean face with known directions.

Does not know the built-in heads, so that a change of theirs cannot hide one of the fit.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import F64, JOINTS, HeadModel, LandmarkTable
from rome_backend.open_head.mean_face import mean_face, mirror_landmarks, symmetric_triangles

KEYS = {
    "mouthSmileLeft": ((291,), (0.006, 0.006, -0.003)),
    "mouthSmileRight": ((61,), (-0.006, 0.006, -0.003)),
    "browInnerUp": ((107, 336), (0.0, 0.008, 0.0)),
    "cheekPuffLeft": ((425,), (0.005, 0.0, 0.006)),
    "cheekPuffRight": ((205,), (-0.005, 0.0, 0.006)),
    "eyeBlinkLeft": ((386,), (0.0, -0.009, 0.0)),
    "eyeBlinkRight": ((159,), (0.0, -0.009, 0.0)),
    "jawOpen": ((152,), (0.0, -0.02, 0.0)),
    "mouthClose": ((13,), (0.0, -0.01, 0.0)),
    "eyeLookUpLeft": ((386,), (0.0, 0.002, 0.0)),
}
UPPER_LIDS = (385, 386, 387, 158, 159, 160)
UPPER_LIP = (80, 81, 82, 13, 312, 311, 310, 38, 12, 268, 11, 0)


def _shape_dirs(points: F64, mirror: F64, count: int) -> F64:
    """Smooth random displacements (N, 3, count), symmetric but for the last two, a few mm each."""
    rng = np.random.default_rng(7)
    waves = rng.normal(0, 18.0, (count, 4, 3))
    phases = rng.uniform(0, 2 * np.pi, (count, 4))
    gains = rng.normal(0, 0.0016, (count, 4, 3))
    fields = np.einsum(
        "kwnx->nxk",
        np.sin(np.einsum("kwc,nc->kwn", waves, points) + phases[..., None])[..., None]
        * gains[:, :, None, :],
    )
    flipped = fields[mirror] * np.array([-1.0, 1.0, 1.0])[None, :, None]
    symmetric, skew = (fields + flipped) / 2, (fields - flipped) / 2
    return np.concatenate([symmetric[..., :-2], 0.5 * skew[..., -2:]], axis=2)


def _expression_dirs(points: F64) -> F64:
    """One Gaussian bump per key; blinks and mouthClose move upper lids and lip only."""
    dirs = np.zeros((len(points), 3, len(KEYS)))
    for k, (name, (centres, move)) in enumerate(KEYS.items()):
        for centre in centres:
            distance = np.linalg.norm(points - points[centre], axis=1)
            bump = np.exp(-0.5 * (distance / 0.012) ** 2)
            only = {"eyeBlink": UPPER_LIDS, "mouthClo": UPPER_LIP}.get(name[:8])
            if only:
                bump = np.where(np.isin(np.arange(len(points)), only), bump, 0.0)
            dirs[:, :, k] += bump[:, None] * np.array(move)
    return dirs


@pytest.fixture(scope="session")
def small_head() -> HeadModel:
    """468 face vertices and 10 of the irises; jaw, 10 keys, 10 shape directions of 1 to 3 mm."""
    points, mirror = mean_face(), mirror_landmarks()
    faces = np.concatenate([symmetric_triangles(), [[468, 469, 470], [473, 474, 475]]])
    faces = np.concatenate([faces, [[468, 471, 472], [473, 476, 477]]]).astype(np.int32)
    count = len(points)
    mouth = (points[13, 1] + points[14, 1]) / 2
    jaw_weight = np.clip((mouth - points[:, 1]) / 0.012, 0, 1)
    jaw_weight[[13, 82, 312, 81, 311]] = 0.0
    jaw_weight[[14, 87, 317, 178, 402]] = 1.0
    weights = np.zeros((count, 5))
    weights[:, 2], weights[:, 1] = jaw_weight, 1 - jaw_weight
    regressor = np.zeros((5, count))
    for joint, vertices in enumerate(([152], [152], [234, 454], [473], [468])):
        regressor[joint, vertices] = 1 / len(vertices)
    face_of = {int(v): f for f, face in enumerate(faces) for v in face}
    order = np.arange(count, dtype=np.int32)
    table_faces = np.array([face_of[k] for k in range(count)], np.int32)
    corner = np.argmax(faces[table_faces] == order[:, None], axis=1)
    eyeballs = {"left_eyeball": order >= 473, "right_eyeball": (order >= 468) & (order < 473)}
    return HeadModel(
        name="small",
        topology_id="small",
        licence="",
        source="",
        template=points.astype(np.float32),
        faces=faces,
        uvs=np.zeros((count, 2), np.float32),
        uv_faces=faces,
        shape_dirs=_shape_dirs(points, mirror, 10).astype(np.float32),
        expression_dirs=_expression_dirs(points).astype(np.float32),
        expression_names=tuple(KEYS),
        pose_dirs=np.zeros((count, 3, 36), np.float32),
        joint_regressor=regressor.astype(np.float32),
        weights=weights.astype(np.float32),
        parents=np.array([-1, 0, 1, 1, 1], np.int32),
        regions=eyeballs,
        landmarks=LandmarkTable(order, table_faces, np.eye(3, dtype=np.float32)[corner]),
        joint_names=JOINTS,
    )
