# SPDX-License-Identifier: Apache-2.0
"""`bench heads`: how near the head made from one picture comes to the 3D head it shows.

Does not know how an avatar is made.

The picture is a render of a head whose surface and lens are known. The head made from it (neutral,
with identity and offsets) and the average head (neither) are each moved onto the truth by a
similarity transform of their face landmarks. The truth's landmarks are what the tracker sees
in its three front renders, cast as rays onto its mesh; where hair hides the face (a hit more than
12 mm from where the average head has that landmark) there is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from rome_backend.avatar.create import CreateOptions, Tools, create_avatar, load_tools
from rome_backend.bench.mesh_surface import Surface, ray_hits, sample_surface
from rome_backend.bench.ply import read_ply
from rome_backend.core.errors import FileInvalid, PhotoRefused, UsageError
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.skinning import shape_vertices
from rome_backend.core.types import F64, I32, HeadModel, Photo
from rome_backend.tracking.lens import film_focal
from rome_backend.tracking.photo import load_photo
from rome_backend.tracking.pose_estimate import HeadPose, procrustes
from rome_backend.tracking.upright import find_faces

YAWS = (0, 30, -30)
SAMPLES = 20_000
BELOW_CHIN_M = 0.03
FACE_REACH_M = 0.008
_FACE_LANDMARKS, _CHIN = 468, 152
_MISPLACED_M = 0.004
_HAIR_M = 0.012
_ROUNDS = 5
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class TrueHead:
    """A 3D head of the test data: mesh in m, landmarks (468, 3) m on it (nan where none was
    hit) with their weights (468,), its renders by yaw and their focal lengths (mm of 35 mm film,
    by yaw)."""

    name: str
    vertices: F64
    faces: I32
    landmarks: F64
    weights: F64
    renders: dict[int, Path]
    focal_lengths: dict[int, float]


def bench_heads(
    data: Path, options: CreateOptions, progress: Progress, only: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the bench's JSON payload; renders that are refused are listed apart.

    Raises UsageError when data has no heads3d/, FileInvalid when a file of it is damaged.
    """
    names = head_names(data, only)
    tools = load_tools(options.head)
    scores: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for index, name in enumerate(names):
        progress(name, index / len(names))
        truth = true_head(data / "heads3d", name, tools)
        ruler = Ruler(truth, tools.head, options.seed)
        average = ruler.errors(tools.head, tools.head.template.astype(np.float64))
        for yaw in YAWS:
            known = replace(options, focal_length=truth.focal_lengths[yaw])
            try:
                made = create_avatar([truth.renders[yaw]], known, tools=tools).avatar
            except PhotoRefused as error:
                refused.append({"name": name, "yaw": yaw, "error": error.as_dict()})
                continue
            vertices = shape_vertices(tools.head, made.params.shape) + made.offsets
            scores.append(_row(name, yaw, ruler.errors(tools.head, vertices), average))
    return {"heads": scores, **({"refused": refused} if refused else {})}


def _row(
    name: str, yaw: int, fitted: tuple[float, float], average: tuple[float, float]
) -> dict[str, Any]:
    return {
        "name": name,
        "yaw": yaw,
        "chamfer_mm": round(fitted[0], 4),
        "average_chamfer_mm": round(average[0], 4),
        "face_mm": round(fitted[1], 4),
        "average_face_mm": round(average[1], 4),
    }


def head_names(data: Path, only: Sequence[str] = ()) -> list[str]:
    """Return the names of the heads of a data folder; raise UsageError when there are none."""
    names = sorted(path.stem for path in (data / "heads3d").glob("*.ply"))
    chosen = [name for name in names if not only or name in only]
    if not chosen:
        raise UsageError(
            "no_data", f"There are no such heads in {str(data / 'heads3d')!r}.",
            "Give --data a folder that holds heads3d/*.ply with heads3d/renders/.",
        )  # fmt: skip
    return chosen


def true_head(folder: Path, name: str, tools: Tools) -> TrueHead:
    """Return a head of heads3d with the landmarks that the tracker sees in its front renders."""
    vertices, faces = read_ply(folder / f"{name}.ply")
    renders, lenses, views = {}, {}, []
    for file, view in _cameras(folder / "renders" / name / "cameras.json").items():
        if view["pitch"] == 0 and view["yaw"] in YAWS:
            path = folder / "renders" / name / file
            renders[int(view["yaw"])] = path
            photo = load_photo(path)
            height, width = photo.rgb.shape[:2]
            lenses[int(view["yaw"])] = film_focal(float(view["K"][0][0]), width, height)
            views.append(_seen(photo, view, vertices, faces, tools))
    if set(renders) != set(YAWS):
        raise FileInvalid(
            "data_invalid", f"{name} lacks a render at one of {YAWS} degrees.", "Give other data."
        )
    points = np.array([view[0] for view in views])
    weights = np.where(np.isfinite(points[..., 0]), np.array([view[1] for view in views]) ** 4, 0)
    total = weights.sum(axis=0)
    share = weights / np.maximum(total, 1e-9)
    mean = np.einsum("vl,vlx->lx", share, np.nan_to_num(points))
    return TrueHead(name, vertices, faces, mean, np.minimum(total, 1.0), renders, lenses)


def _cameras(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["views"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileInvalid(
            "data_invalid", f"{path.name} of a head cannot be read ({error}).", "Give other data."
        ) from error


def _seen(
    photo: Photo, view: dict[str, Any], vertices: F64, faces: I32, tools: Tools
) -> tuple[F64, F64]:
    """Return the landmarks (468, 3) m that one render shows and how squarely they are seen."""
    _, found = find_faces(photo, tools.tracker)
    if not found:
        return np.full((_FACE_LANDMARKS, 3), np.nan), np.zeros(_FACE_LANDMARKS)
    pixels = found[0].landmarks[:_FACE_LANDMARKS, :2].astype(np.float64)
    inverse = np.linalg.inv(np.array(view["K"], np.float64))
    rotation, shift = np.array(view["R"], np.float64), np.array(view["t"], np.float64)
    rays = np.column_stack([pixels, np.ones(len(pixels))]) @ inverse.T @ rotation
    return ray_hits(-rotation.T @ shift, rays, vertices, faces)


class Ruler:
    """Measures heads against one true head.

    Args:
        truth: the true head; average: the head model whose template tells hair from face;
        seed: of the samples.
    """

    def __init__(self, truth: TrueHead, average: HeadModel, seed: int) -> None:
        self._truth, self._seed = truth, seed
        gap = self._fitted(average, average.template.astype(np.float64))[1]
        face = average.landmarks.indices < _FACE_LANDMARKS
        hidden = average.landmarks.indices[face][gap > _HAIR_M]
        weights = truth.weights.copy()
        weights[hidden] = 0.0
        self._truth = replace(truth, weights=weights)
        self._lowest = float(truth.landmarks[_CHIN, 1]) - BELOW_CHIN_M
        mesh = (truth.vertices, truth.faces)
        self._surface = Surface(*mesh, self._lowest)
        self._samples, _ = sample_surface(*mesh, SAMPLES, seed, self._lowest)
        dense, _ = sample_surface(*mesh, 10 * SAMPLES, seed + 1, self._lowest)
        away: F64 = np.asarray(cKDTree(truth.landmarks[weights > 0]).query(dense)[0])
        self._face = dense[away < FACE_REACH_M][:SAMPLES]

    def errors(self, head: HeadModel, vertices: F64) -> tuple[float, float]:
        """Return the symmetric Chamfer distance and the face's error of a head, mm.

        Chamfer: mean of both directions' mean distance between 20,000 samples and the other
        surface, above the plane 3 cm below the chin. Face: mean distance from the true surface
        within 8 mm of a landmark to the head. vertices (V, 3) m, neutral.
        """
        moved = self._fitted(head, vertices)[0].to_view(vertices)
        surface = Surface(moved, head.faces, self._lowest)
        samples, _ = sample_surface(moved, head.faces, SAMPLES, self._seed, self._lowest)
        forth = surface.distance(self._samples).mean()
        back = self._surface.distance(samples).mean()
        return 500 * float(forth + back), 1000 * float(surface.distance(self._face).mean())

    def _fitted(self, head: HeadModel, vertices: F64) -> tuple[HeadPose, F64]:
        """Return the similarity onto the truth and how far each face landmark stays from it."""
        points = landmark_points(vertices, head.faces, head.landmarks)
        known = head.landmarks.indices < _FACE_LANDMARKS
        rows = head.landmarks.indices[known]
        points, target = points[known], self._truth.landmarks[rows]
        weights = trust = self._truth.weights[rows]
        for _ in range(_ROUNDS):
            pose = procrustes(points, target, weights)
            gap = np.linalg.norm(pose.to_view(points) - target, axis=1)
            weights = trust / (1 + (gap / _MISPLACED_M) ** 2)
        return pose, gap


def summary(scores: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return per yaw ("0", "+-30") how many heads are better than average and the mean gain, %."""
    found = {}
    for label, yaws in (("0", (0,)), ("+-30", (30, -30))):
        rows = [row for row in scores if row["yaw"] in yaws]
        if rows:
            found[label] = {
                "heads": len(rows),
                "better": sum(row["chamfer_mm"] < row["average_chamfer_mm"] for row in rows),
                "chamfer_gain_percent": _gain(rows, "chamfer_mm"),
                "face_better": sum(row["face_mm"] < row["average_face_mm"] for row in rows),
                "face_gain_percent": _gain(rows, "face_mm"),
            }
    return found


def _gain(rows: Sequence[dict[str, Any]], measure: str) -> float:
    ours = sum(row[measure] for row in rows)
    average = sum(row[f"average_{measure}"] for row in rows)
    return round(100 * (1 - ours / average), 2)
