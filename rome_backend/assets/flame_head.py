# SPDX-License-Identifier: Apache-2.0
"""Builds a head model of an imported FLAME: closed mouth, texture layout, regions, landmarks.

Does not hold any of FLAME's data beyond vertex numbers, and does not read its files.

Source: rome-spec sections 2.5 and 3 for the mouth's triangles, the ranges of components and the
released networks' layout. 100 shape and 50 expression components, as DECA and ROME use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from rome_backend.assets.disc_atlas import head_layout
from rome_backend.assets.flame_kinds import PARENTS, SHAPES, VERTICES
from rome_backend.assets.licences import most_restrictive
from rome_backend.assets.pickle_values import Array
from rome_backend.assets.region_transfer import hair_in_one_piece, transfer_regions
from rome_backend.core.errors import AssetMissing
from rome_backend.core.head_model import check_head_model, head_topology_id
from rome_backend.core.landmarks_68 import FIXED, MEDIAPIPE_68
from rome_backend.core.types import F32, I32, HeadModel, LandmarkTable, Mask

NAME = "flame"
USED_SHAPES, USED_EXPRESSIONS = 100, 50
_EYEBALL_VERTICES = 546
_UPPER_LIP = (1594, 1595, 1746, 1747, 1742, 1739, 1665, 1666, 3514, 2783, 2782, 2854, 2857, 2862,
              2861, 2731)  # fmt: skip
_LOWER_LIP = (1572, 1573, 1860, 1862, 1830, 1835, 1852, 3497, 2941, 2933, 2930, 2945, 2943, 2709,
              2708, 2730)  # fmt: skip
_UPPER_LIP_UV = (1402, 1401, 1573, 1574, 1565, 1564, 1468, 1467, 1788, 2961, 2962, 3042, 3050,
                 3049, 3048, 2905)  # fmt: skip
_LOWER_LIP_UV = (2050, 1691, 1692, 1705, 1709, 3183, 1679, 1685, 3144, 3132, 3133, 3150, 5093,
                 3148, 2904, 2903)  # fmt: skip
_FACE_IMPORTANCE = 2.0
# Our region -> regions of FLAME's masks; what they do not have comes from the open head.
_MASK_NAMES: Mapping[str, tuple[str, ...]] = {
    "face": ("face",),
    "lips": ("lips",),
    "left_eye_region": ("left_eye_region",),
    "right_eye_region": ("right_eye_region",),
    "ears": ("left_ear", "right_ear"),
}


@dataclass(frozen=True)
class FlameParts:
    """What is installed of FLAME: tensors by asset, as flame_kinds converts them, or None.

    model: always; masks, landmarks (MediaPipe's), landmarks_68, layout: where the user has them;
    licences: asset -> licence, of what is used; source: a sentence.
    """

    model: Mapping[str, Array]
    licences: Mapping[str, str]
    source: str
    masks: Mapping[str, Array] | None = None
    landmarks: Mapping[str, Array] | None = None
    landmarks_68: Mapping[str, Array] | None = None
    layout: Mapping[str, Array] | None = None


def strip(upper: tuple[int, ...], lower: tuple[int, ...]) -> I32:
    """Return the triangles (2 n - 2, 3) between two chains of n."""
    faces = []
    for a, b, c, d in zip(upper, upper[1:], lower, lower[1:], strict=False):
        faces += [(a, b, c), (b, d, c)]
    return np.array(faces, np.int32)


def closed_faces(faces: Any) -> I32:
    """Return FLAME's faces with the 30 triangles that close the mouth, last."""
    return np.concatenate([np.asarray(faces, np.int32), strip(_UPPER_LIP, _LOWER_LIP)])


def closed_layout(layout: Mapping[str, Array]) -> tuple[F32, I32]:
    """Return the official uvs (Vt, 2), v up, and uv_faces with the mouth's 30 triangles, last."""
    mouth = strip(_UPPER_LIP_UV, _LOWER_LIP_UV)
    uv_faces = np.concatenate([np.asarray(layout["uv_faces"], np.int32), mouth])
    return np.clip(layout["uvs"], 0, 1).astype(np.float32), uv_faces


def flame_head(parts: FlameParts, open_head: HeadModel) -> HeadModel:
    """Return the checked head model: V 5023, S 100 Shape1.., E 50 named Exp1.., 36 correctives.

    Raises AssetMissing (flame_landmarks_missing) without a landmark embedding, and FileInvalid.
    """
    model = parts.model
    template = _f32(model["v_template"])
    faces = closed_faces(model["f"])
    eyeballs = eyeball_masks(template, faces)
    if parts.layout is not None:
        uvs, uv_faces = closed_layout(parts.layout)
    else:
        uvs, uv_faces = head_layout(template, faces, eyeballs, _importance(template))
    expression = slice(SHAPES, SHAPES + USED_EXPRESSIONS)
    head = HeadModel(
        name=NAME,
        topology_id="",
        licence=most_restrictive(parts.licences),
        source=parts.source,
        template=template,
        faces=faces,
        uvs=uvs,
        uv_faces=uv_faces,
        shape_dirs=_f32(model["shapedirs"][..., :USED_SHAPES]),
        expression_dirs=_f32(model["shapedirs"][..., expression]),
        expression_names=tuple(f"Exp{n + 1}" for n in range(USED_EXPRESSIONS)),
        pose_dirs=_f32(model["posedirs"]),
        joint_regressor=_f32(model["J_regressor"]),
        weights=_f32(model["weights"]),
        parents=np.array(PARENTS, np.int32),
        regions={},
        landmarks=_landmarks(parts),
    )
    head = replace(head, topology_id=head_topology_id(head))
    check_head_model(head)
    return replace(head, regions=_regions(head, open_head, eyeballs, parts.masks))


def with_computed_layout(head: HeadModel) -> HeadModel:
    """Return a head on FLAME's mesh, mouth open, with the computed texture layout."""
    closed = closed_faces(head.faces)
    eyeballs = (head.regions["left_eyeball"], head.regions["right_eyeball"])
    uvs, uv_faces = head_layout(head.template, closed, eyeballs, _importance(head.template))
    laid = replace(head, uvs=uvs, uv_faces=uv_faces[: len(head.faces)])
    return replace(laid, topology_id=head_topology_id(laid))


def eyeball_masks(template: Any, faces: Any) -> tuple[Mask, Mask]:
    """Return the vertices (V,) of the left (+X) and the right eyeball: the two separate balls.

    Without two separate parts of an eyeball's size both masks are empty.
    """
    rows, columns = np.asarray(faces).ravel(), np.asarray(faces)[:, [1, 2, 0]].ravel()
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(VERTICES, VERTICES))
    _, label = connected_components(graph, directed=False)
    sizes = np.bincount(label)
    balls = [label == n for n in np.flatnonzero(sizes == _EYEBALL_VERTICES)]
    if len(balls) != 2:
        return np.zeros(VERTICES, bool), np.zeros(VERTICES, bool)
    right, left = sorted(balls, key=lambda ball: float(np.asarray(template)[ball, 0].mean()))
    return left, right


def _importance(template: F32) -> F32:
    """Return how much larger than elsewhere the texture shall be (V,): twice on the face."""
    low, high = template.min(0), template.max(0)
    front = template[:, 2] > low[2] + 0.6 * (high[2] - low[2])
    return np.where(front, _FACE_IMPORTANCE, 1.0).astype(np.float32)


def _landmarks(parts: FlameParts) -> LandmarkTable:
    """Return MediaPipe's landmarks: the published embedding, else those that the 51 fixed give."""
    if parts.landmarks is not None:
        table = parts.landmarks
        indices, faces, weights = table["indices"], table["faces"], table["barycentric"]
    elif parts.landmarks_68 is not None:
        indices = np.array(MEDIAPIPE_68[FIXED])
        faces = parts.landmarks_68["fixed_faces"]
        weights = parts.landmarks_68["fixed_barycentric"]
    else:
        raise AssetMissing(
            "flame_landmarks_missing",
            "FLAME is installed without a landmark embedding, so no photo can be fitted.",
            "Import mediapipe_landmark_embedding.npz, or DECA's landmark_embedding.npy.",
        )
    positive = np.clip(weights, 0, 1)
    return LandmarkTable(
        np.asarray(indices, np.int32),
        np.asarray(faces, np.int32),
        _f32(positive / np.maximum(positive.sum(1, keepdims=True), 1e-6)),
    )


def _regions(
    head: HeadModel,
    open_head: HeadModel,
    eyeballs: tuple[Mask, Mask],
    masks: Mapping[str, Array] | None,
) -> dict[str, Mask]:
    """Return the regions: FLAME's own masks where there are some, else the open head's."""
    balls = {"left_eyeball": eyeballs[0], "right_eyeball": eyeballs[1]}
    regions = transfer_regions(open_head, head.template, head.faces, head.landmarks, balls)
    either = eyeballs[0] | eyeballs[1]
    for name, theirs in _MASK_NAMES.items():
        if masks is not None and all(part in masks for part in theirs):
            rows = np.concatenate([masks[part] for part in theirs])
            regions[name] = np.isin(np.arange(VERTICES), rows) & ~either
    return hair_in_one_piece(regions, head.faces)


def parts_key(records: Mapping[str, str], open_head: HeadModel) -> str:
    """Return 16 hex digits that change with the installed files and the open head's regions.

    records: asset -> SHA-256.
    """
    digest = hashlib.sha256(repr(sorted(records.items())).encode())
    digest.update(open_head.topology_id.encode())
    for name in sorted(open_head.regions):
        digest.update(name.encode() + np.packbits(open_head.regions[name]).tobytes())
    return digest.hexdigest()[:16]


def _f32(array: Any) -> F32:
    return np.ascontiguousarray(array, np.float32)
