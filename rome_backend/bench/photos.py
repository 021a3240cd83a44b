# SPDX-License-Identifier: Apache-2.0
"""`bench photos`: how well heads match their photos, measured on what is exported.

Does not know how an avatar is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from rome_backend.avatar.create import CreateOptions, CreateResult, Tools, create_avatar, load_tools
from rome_backend.bench.dataset import DataPhoto
from rome_backend.core.camera import project
from rome_backend.core.errors import PhotoRefused
from rome_backend.core.landmarks import LANDMARKS_105, landmark_points, reprojection_percent_iod
from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.skinning import skin
from rome_backend.core.types import F64, Avatar, HeadModel, OffsetBasis, RigArrays
from rome_backend.export.rig_arrays import rig_arrays
from rome_backend.texture.seams import seam_steps

MOST_REPROJECTION = 3.0
LEAST_IOU = 0.93
LEAST_IOU_LONG_HAIR = 0.88
MOST_SEAM_STEP = 2.0  # of 255
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class PhotoScores:
    """What was measured on one photo.

    seam_step: the largest colour difference across the texture's UV seams, of 255; seam_step_95:
    the 95th percentile of these differences; long_hair: whether the data's manifest says so.
    """

    name: str
    tier: str
    reprojection_percent_iod: float
    silhouette_iou: float
    empty_texels: int
    seconds: dict[str, float]
    warnings: tuple[str, ...]
    yaw: float
    seam_step: float = 0.0
    seam_step_95: float = 0.0
    long_hair: bool = False


def bench_photos(
    photos: Sequence[DataPhoto], options: CreateOptions, progress: Progress
) -> dict[str, Any]:
    """Make an avatar of every photo and return the bench's JSON payload.

    Photos that are refused are listed apart and are no part of the medians.
    """
    tools = load_tools(options.head)
    scores, refused = [], []
    for index, photo in enumerate(photos):
        progress(photo.path.name, index / len(photos))
        try:
            result = create_avatar([photo.path], options, tools=tools)
        except PhotoRefused as error:
            refused.append({"name": photo.path.name, "tier": photo.tier, "error": error.as_dict()})
            continue
        scores.append(_scores(photo, result, tools))
    return {
        "photos": [_payload(score) for score in scores],
        "refused": refused,
        "median": medians(scores),
    }


def _scores(photo: DataPhoto, result: CreateResult, tools: Tools) -> PhotoScores:
    steps = seam_steps(tools.head, result.avatar.albedo)
    return PhotoScores(
        name=photo.path.name,
        tier=photo.tier,
        reprojection_percent_iod=exported_reprojection(tools.head, tools.basis, result.avatar),
        silhouette_iou=result.silhouette_iou,
        empty_texels=result.empty_texels,
        seconds=result.seconds,
        warnings=result.warnings,
        yaw=float(result.avatar.provenance["fit"]["yaw"]),
        seam_step=float(steps.max()),
        seam_step_95=float(np.quantile(steps, 0.95)),
        long_hair=photo.long_hair,
    )


def _payload(score: PhotoScores) -> dict[str, Any]:
    return {
        "name": score.name,
        "tier": score.tier,
        "reprojection_percent_iod": round(score.reprojection_percent_iod, 4),
        "silhouette_iou": round(score.silhouette_iou, 4),
        "empty_texels": score.empty_texels,
        "seam_step": round(score.seam_step, 3),
        "seam_step_95": round(score.seam_step_95, 3),
        "long_hair": score.long_hair,
        "seconds": {stage: round(value, 3) for stage, value in score.seconds.items()},
        "warnings": list(score.warnings),
        "yaw": round(score.yaw, 2),
    }


def medians(scores: Sequence[PhotoScores]) -> dict[str, float]:
    """Return the medians of the scores; empty when there are none."""
    if not scores:
        return {}
    totals = [sum(score.seconds.values()) for score in scores]
    return {
        "reprojection_percent_iod": round(median(s.reprojection_percent_iod for s in scores), 4),
        "silhouette_iou": round(median(s.silhouette_iou for s in scores), 4),
        "empty_texels": median(s.empty_texels for s in scores),
        "seam_step": round(median(s.seam_step for s in scores), 3),
        "seconds_total": round(median(totals), 3),
    }


def missed_limits(payload: dict[str, Any]) -> list[str]:
    """Return a sentence per limit that the medians miss, or per photo of tier A or B refused."""
    middle = payload["median"]
    if not middle:
        return ["no photo became a head"]
    missed = []
    error, overlap = middle["reprojection_percent_iod"], middle["silhouette_iou"]
    if error > MOST_REPROJECTION:
        missed.append(f"median reprojection is {error} % (at most {MOST_REPROJECTION})")
    if overlap < LEAST_IOU:
        missed.append(f"median silhouette IoU is {overlap} (at least {LEAST_IOU})")
    if any(photo["empty_texels"] for photo in payload["photos"]):
        missed.append("a texture has empty texels (none allowed)")
    torn = [photo["name"] for photo in payload["photos"] if photo["seam_step"] > MOST_SEAM_STEP]
    missed += [f"{name} has a seam step over {MOST_SEAM_STEP}/255" for name in torn]
    missed += [
        f"{photo['name']} has long hair and an IoU of {photo['silhouette_iou']}"
        f" (at least {LEAST_IOU_LONG_HAIR})"
        for photo in payload["photos"]
        if photo["long_hair"] and photo["silhouette_iou"] < LEAST_IOU_LONG_HAIR
    ]
    strict = [entry["name"] for entry in payload["refused"] if entry["tier"] in ("A", "B")]
    missed += [f"{name} was refused" for name in strict]
    return missed


def exported_reprojection(head: HeadModel, basis: OffsetBasis, avatar: Avatar) -> float:
    """Return the mean distance of the 105 non-iris landmarks in % of inter-ocular distance.

    Measured on the rig every exporter writes: its shape keys at the stored expression and offset
    values, its bones at the stored pose, through the stored camera, against what the tracker saw.
    """
    rig = rig_arrays(head, basis, avatar)
    points = landmark_points(posed_rig(rig, head, avatar), rig.faces, head.landmarks)
    pixels = project(avatar.camera, points)
    rows = {int(index): row for row, index in enumerate(head.landmarks.indices)}
    chosen = np.stack([pixels[rows[index]] for index in LANDMARKS_105])
    return reprojection_percent_iod(chosen, avatar.source_landmarks)


def posed_rig(rig: RigArrays, head: HeadModel, avatar: Avatar) -> F64:
    """Return the rig's vertices (V, 3) m with the avatar's source expression and pose set.

    Correctives are left to `skin`, which computes what the drivers of the rig's keys do.
    """
    params = avatar.params
    values = dict(zip(head.expression_names, params.expression, strict=True))
    vertices = rig.vertices.astype(np.float64)
    for key in rig.keys:
        if key.driver is None:
            vertices += float(values.get(key.name, key.value)) * key.delta
    rotations = rotation_matrices(params.pose())
    return skin(vertices, rig.joints, rotations, head, translation=params.translation)
