# SPDX-License-Identifier: Apache-2.0
"""Geometry: heads made of one photo against scans, beside the average head and other programs'.

Does not know how heads are made or read.

The protocol (paper section 4.2, table 1): every mesh is moved onto the scan by the landmarks of
its face and then by iterated closest points on the face's surface, with its scale, as H3DS's
evaluation does it; distances are between surfaces above a plane 3 cm below the chin. Landmarks of
scans and of other programs' meshes are those that the tracker sees on them. H3DS's own figure is
`scan_to_mesh` (of vertices there, of the surface here).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rome_backend.avatar.create import Tools, create_avatar
from rome_backend.avatar.create_options import CreateOptions
from rome_backend.core.errors import RomeError
from rome_backend.core.skinning import shape_vertices
from rome_backend.core.types import HeadModel
from rome_backend.measure.head_ruler import Distances, HeadMesh, Ruler, model_mesh
from rome_backend.measure.meshes import read_mesh
from rome_backend.measure.seen_landmarks import clay_mesh
from rome_backend.tracking.face_mesh import FaceTracker
from training.evaluation.other_meshes import OtherMeshes
from training.evaluation.scans import Scan, scan_names, scans
from training.evaluation.scores import mean_of_rows

_TEXTURE = 256
_SEED = 0


@dataclass(frozen=True)
class HeadScores:
    """Distances of a scan's heads by method; missing: method -> why it has none."""

    name: str
    distances: Mapping[str, Distances]
    missing: Mapping[str, str]


def evaluate_geometry(
    folder: Path,
    tools: Tools,
    others: Sequence[OtherMeshes] = (),
    only: Sequence[str] = (),
    progress: Callable[[str, float], None] = lambda name, fraction: None,
) -> dict[str, Any]:
    """Return the JSON result of the protocol on a folder of scans (see scans).

    Raises UsageError (`no_scans`) and FileInvalid for scans that cannot be read.
    """
    names = scan_names(folder, only)
    found = []
    for place, scan in enumerate(scans(folder, names, tools)):
        progress(scan.name, place / len(names))
        found.append(head_scores(scan, tools, others))
    return geometry_payload(found)


def head_scores(scan: Scan, tools: Tools, others: Sequence[OtherMeshes] = ()) -> HeadScores:
    """Return the distances of the average head, of ours and of other programs' to a scan."""
    average = model_mesh(tools.head, tools.head.template.astype(np.float64))
    ruler = Ruler(scan.mesh, average, _SEED, refine=True)
    heads, missing = {"average": average}, {}
    try:
        heads |= own_heads(scan, tools)
    except RomeError as error:
        missing["rome"] = error.message
    for other in others:
        mesh = other_head(other, scan.name, tools.tracker)
        if isinstance(mesh, str):
            missing[other.name] = mesh
        else:
            heads[other.name] = mesh
    found = {name: ruler.distances(mesh) for name, mesh in heads.items()}
    return HeadScores(scan.name, found, missing)


def own_heads(scan: Scan, tools: Tools) -> dict[str, HeadMesh]:
    """Return the head made of a scan's photo, with and without offsets; none without a photo.

    Raises PhotoRefused.
    """
    if scan.photo is None:
        return {}
    options = CreateOptions(size=_TEXTURE, maps=False, focal_length=scan.focal_length)
    avatar = create_avatar([scan.photo], options, tools=tools).avatar
    bare = shape_vertices(tools.head, avatar.params.shape)
    return {
        "rome": _mesh(tools.head, bare + avatar.offsets),
        "rome_no_offsets": _mesh(tools.head, bare),
    }


def _mesh(head: HeadModel, vertices: Any) -> HeadMesh:
    return model_mesh(head, np.asarray(vertices, np.float64))


def other_head(other: OtherMeshes, name: str, tracker: FaceTracker) -> HeadMesh | str:
    """Return another program's head with the landmarks seen on it, or why there is none.

    Raises FileInvalid (`mesh_invalid`).
    """
    path = other.find(name)
    if path is None:
        return f"there is no mesh of {name} in its folder"
    mesh = clay_mesh(*read_mesh(path), tracker)
    return f"no face is seen on {path.name}" if mesh is None else mesh


def geometry_payload(heads: Sequence[HeadScores]) -> dict[str, Any]:
    """Return distances as plain JSON values, mm; ``mean`` is over the scans a method has."""
    rows: list[dict[str, Any]] = []
    by_method: dict[str, list[dict[str, float]]] = {}
    for head in heads:
        own = {name: _values(each) for name, each in head.distances.items()}
        rows.append({"name": head.name, **own, "missing": dict(head.missing)})
        for name, values in own.items():
            by_method.setdefault(name, []).append(values)
    mean = {
        name: {**mean_of_rows(each), "heads": float(len(each))} for name, each in by_method.items()
    }
    return {"protocol": "geometry", "unit": "mm", "heads": rows, "mean": mean}


def _values(found: Distances) -> dict[str, float]:
    values = {
        "chamfer": found.chamfer, "scan_to_mesh": found.forth, "mesh_to_scan": found.back,
        "face": found.face,
    }  # fmt: skip
    return {name: round(value, 4) for name, value in values.items()}
