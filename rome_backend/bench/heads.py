# SPDX-License-Identifier: Apache-2.0
"""`bench heads`: how near the head made from one picture comes to the 3D head it shows.

Does not know how an avatar is made or a distance taken.

The picture is a render of a head whose surface and lens are known. The head made from it (neutral,
with identity and offsets) and the average head (neither) are each held against the truth
(rome_backend.measure).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rome_backend.avatar.create import CreateOptions, create_avatar, load_tools
from rome_backend.core.errors import PhotoRefused
from rome_backend.core.skinning import shape_vertices
from rome_backend.measure.head_ruler import Distances, Ruler, model_mesh
from rome_backend.measure.true_heads import YAWS, head_names, true_head

FOLDER = "heads3d"
Progress = Callable[[str, float], None]


def bench_heads(
    data: Path, options: CreateOptions, progress: Progress, only: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the bench's JSON payload; renders that are refused are listed apart.

    Raises UsageError when data has no heads3d/, FileInvalid when a file of it is damaged.
    """
    names = head_names(data / FOLDER, only)
    tools = load_tools(options.head)
    scores: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for index, name in enumerate(names):
        progress(name, index / len(names))
        truth = true_head(data / FOLDER, name, tools.tracker)
        mean = model_mesh(tools.head, tools.head.template.astype(np.float64))
        ruler = Ruler(truth.mesh, mean, options.seed)
        average = ruler.distances(mean)
        for yaw in YAWS:
            known = replace(options, focal_length=truth.focal_lengths[yaw])
            try:
                made = create_avatar([truth.renders[yaw]], known, tools=tools).avatar
            except PhotoRefused as error:
                refused.append({"name": name, "yaw": yaw, "error": error.as_dict()})
                continue
            vertices = shape_vertices(tools.head, made.params.shape) + made.offsets
            found = ruler.distances(model_mesh(tools.head, vertices))
            scores.append(_row(name, yaw, found, average))
    return {"heads": scores, **({"refused": refused} if refused else {})}


def _row(name: str, yaw: int, fitted: Distances, average: Distances) -> dict[str, Any]:
    return {
        "name": name,
        "yaw": yaw,
        "chamfer_mm": round(fitted.chamfer, 4),
        "average_chamfer_mm": round(average.chamfer, 4),
        "face_mm": round(fitted.face, 4),
        "average_face_mm": round(average.face, 4),
    }


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
