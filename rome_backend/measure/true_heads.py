# SPDX-License-Identifier: Apache-2.0
"""Heads whose surface is known, from a folder NAME.ply with renders/NAME/ and its cameras.json.

Does not know distances.

The truth's landmarks are what the tracker sees in its three front renders, cast as rays onto its
mesh. Cameras are OpenCV's: pixels K (R p + t).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rome_backend.core.errors import FileInvalid, UsageError
from rome_backend.measure.head_ruler import HeadMesh
from rome_backend.measure.ply import read_ply
from rome_backend.measure.seen_landmarks import View, joined, landmarks_in_view
from rome_backend.tracking.face_mesh import FaceTracker
from rome_backend.tracking.lens import film_focal
from rome_backend.tracking.photo import load_photo
from rome_backend.tracking.upright import find_faces

YAWS = (0, 30, -30)


@dataclass(frozen=True)
class TrueHead:
    """A 3D head of the test data, m, with its renders by yaw and their focal lengths (mm of 35 mm
    film, by yaw)."""

    name: str
    mesh: HeadMesh
    renders: dict[int, Path]
    focal_lengths: dict[int, float]


def head_names(folder: Path, only: Sequence[str] = ()) -> list[str]:
    """Return the names of the heads of a folder; raise UsageError when there are none."""
    names = sorted(path.stem for path in folder.glob("*.ply"))
    chosen = [name for name in names if not only or name in only]
    if not chosen:
        raise UsageError(
            "no_data", f"There are no such heads in {str(folder)!r}.",
            "Give a folder that holds *.ply with renders/.",
        )  # fmt: skip
    return chosen


def true_head(folder: Path, name: str, tracker: FaceTracker) -> TrueHead:
    """Return a head with the landmarks that the tracker sees in its front renders.

    Raises FileInvalid (`mesh_invalid`, `data_invalid`).
    """
    vertices, faces = read_ply(folder / f"{name}.ply")
    renders, lenses, views = {}, {}, []
    for file, view in _cameras(folder / "renders" / name / "cameras.json").items():
        if view["pitch"] == 0 and view["yaw"] in YAWS:
            path = folder / "renders" / name / file
            renders[int(view["yaw"])] = path
            photo = load_photo(path)
            height, width = photo.rgb.shape[:2]
            lenses[int(view["yaw"])] = film_focal(float(view["K"][0][0]), width, height)
            camera = View(*(np.array(view[key], np.float64) for key in ("K", "R", "t")))
            found = find_faces(photo, tracker)[1]
            face = found[0] if found else None
            views.append(landmarks_in_view(face, camera, vertices, faces))
    if set(renders) != set(YAWS):
        raise FileInvalid(
            "data_invalid", f"{name} lacks a render at one of {YAWS} degrees.", "Give other data."
        )
    return TrueHead(name, HeadMesh(vertices, faces, *joined(views)), renders, lenses)


def _cameras(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["views"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileInvalid(
            "data_invalid", f"{path.name} of a head cannot be read ({error}).", "Give other data."
        ) from error
