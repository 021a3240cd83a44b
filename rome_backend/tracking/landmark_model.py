# SPDX-License-Identifier: Apache-2.0
"""A head model seen only through its landmarks: positions, derivatives, facing.

Does not know photos, cameras or priors.

A tracker's idea of a landmark differs systematically from the place a head model gives it, so
positions are "mean face of the tracker + displacement of the head model" (delta transfer, our
own): the difference of the template's landmarks to the aligned mean face is a constant bias.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rome_backend.core.normals import vertex_normals
from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.skinning import regress_joints, shape_vertices, skin
from rome_backend.core.types import F32, F64, I32, JOINTS, HeadModel
from rome_backend.tracking.pose_estimate import procrustes
from rome_backend.tracking.priors import HELD_KEYS, IRIS_START

_JAW_STEP = np.radians(0.5)


@dataclass(frozen=True)
class LandmarkModel:
    """The part of a head model that the face fit needs; L landmarks without the irises.

    indices (L,): MediaPipe's numbers; part: the head model cut down to the landmarks' corner
    vertices; corners (L, 3): rows of ``part``; barycentric (L, 3); bias (L, 3) m: template
    landmarks minus the aligned mean face; shape (L, 3, S), expression (L, 3, A): displacement
    per unit; active (A,): the expression keys that the fit moves; pairs (A,): position in
    ``active`` of each key's mirror twin; mirror (L,): row of the opposite landmark or -1;
    joints (K, 3) m and joint_dirs (K, 3, S); normals (L, 3) of the template.
    """

    indices: I32
    part: HeadModel
    corners: I32
    barycentric: F64
    bias: F64
    shape: F64
    expression: F64
    active: I32
    pairs: I32
    mirror: I32
    joints: F64
    joint_dirs: F64
    normals: F64

    def points(
        self,
        shape: F64,
        expression: F64,
        jaw: float,
        biased: bool = True,
        eyes: F64 | None = None,
    ) -> F64:
        """Return the landmarks (L, 3) m for shape (S,), active keys (A,), jaw opening in rad.

        biased: what the tracker would report; otherwise the points on the mesh itself;
        eyes (2, 3): axis-angle rad of left and right eye, which the lids follow.
        """
        full = np.zeros(self.part.expression_dirs.shape[-1])
        full[self.active] = expression
        vertices = shape_vertices(self.part, shape, full)
        turns = np.zeros((len(JOINTS), 3))
        turns[JOINTS.index("jaw"), 0] = jaw
        if eyes is not None:
            turns[JOINTS.index("left_eye") :] = eyes
        joints = self.joints + self.joint_dirs @ shape
        posed = skin(vertices, joints, rotation_matrices(turns), self.part)
        points = np.einsum("lc,lcx->lx", self.barycentric, posed[self.corners])
        return points - self.bias if biased else points

    def jaw_column(self, shape: F64, expression: F64, jaw: float) -> F64:
        """Return the landmarks' movement (L, 3) m per rad of jaw opening, at this opening."""
        more = self.points(shape, expression, jaw + _JAW_STEP)
        less = self.points(shape, expression, jaw - _JAW_STEP)
        return (more - less) / (2 * _JAW_STEP)

    def rows(self, wanted: Iterable[int]) -> I32:
        """Return the rows of the wanted MediaPipe landmarks that the head model has."""
        place = {int(index): row for row, index in enumerate(self.indices)}
        return np.array([place[int(k)] for k in wanted if int(k) in place], np.int32)


def landmark_model(head: HeadModel, mean_face: F64, mirror: I32) -> LandmarkModel:
    """Cut a head model down to its landmarks.

    mean_face (478, 3) in any unit; mirror (478,): the opposite landmark of each.
    """
    keep = head.landmarks.indices < IRIS_START
    indices = head.landmarks.indices[keep].astype(np.int32)
    barycentric = head.landmarks.barycentric[keep].astype(np.float64)
    faces = head.faces[head.landmarks.faces[keep]]
    used, flat = np.unique(faces, return_inverse=True)
    corners: I32 = flat.reshape(faces.shape).astype(np.int32)
    part = _cut(head, used)
    active, pairs = _active_keys(head.expression_names)

    def at_landmarks(rows: F32 | F64) -> F64:
        return np.einsum("lc,lc...->l...", barycentric, rows.astype(np.float64)[corners])

    template = at_landmarks(part.template)
    row_of = np.full(len(mirror), -1, np.int32)
    row_of[indices] = np.arange(len(indices))
    return LandmarkModel(
        indices=indices,
        part=part,
        corners=corners,
        barycentric=barycentric,
        bias=template - _aligned(mean_face[indices], template),
        shape=at_landmarks(part.shape_dirs),
        expression=at_landmarks(part.expression_dirs[..., active]),
        active=active,
        pairs=pairs,
        mirror=row_of[mirror[indices]],
        joints=regress_joints(head, head.template),
        joint_dirs=np.einsum("kv,vxs->kxs", head.joint_regressor, head.shape_dirs),
        normals=_unit(at_landmarks(vertex_normals(head.template, head.faces)[used])),
    )


def _cut(head: HeadModel, used: NDArray[np.integer]) -> HeadModel:
    """Return the head model with only some vertices; its faces and joints are not to be used."""
    return replace(
        head,
        template=head.template[used],
        shape_dirs=head.shape_dirs[used],
        expression_dirs=head.expression_dirs[used],
        pose_dirs=head.pose_dirs[used],
        weights=head.weights[used],
    )


def _unit(vectors: F64) -> F64:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _aligned(mean_face: F64, template: F64) -> F64:
    """Return the mean face's landmarks (L, 3) moved onto the template's by a similarity."""
    return procrustes(mean_face, template, np.ones(len(template))).to_view(mean_face)


def _active_keys(names: tuple[str, ...]) -> tuple[I32, I32]:
    """Return the keys the fit moves and, for each, the position of its left-right twin."""
    active = [k for k, name in enumerate(names) if not name.startswith(HELD_KEYS)]
    place = {names[k]: position for position, k in enumerate(active)}
    twins = [place.get(_twin(names[k]), position) for position, k in enumerate(active)]
    return np.array(active, np.int32), np.array(twins, np.int32)


def _twin(name: str) -> str:
    """Return the name of the mirrored key, the name itself for a symmetric one."""
    for one, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(one) and len(name) > len(one) and name not in ("mouthLeft", "mouthRight"):
            return name[: -len(one)] + other
    return name
