# SPDX-License-Identifier: Apache-2.0
"""Scans of heads in a folder, each with the photo that heads are made of where there is one.

Does not know distances.

Three layouts: `NAME.ply` with `renders/NAME/cameras.json` (renders of known cameras, the front one
is the photo); H3DS's `SCENE/full_head.obj` with `SCENE/image/*.jpg` (Ramon et al. 2021; the first
picture in which the head is near-frontal is the photo, `SCENE` the name); and `NAME.ply` or
`NAME.obj` with a photo `NAME.jpg` or `NAME.png` beside it, or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rome_backend.avatar.create import Tools
from rome_backend.core.errors import FileInvalid, UsageError
from rome_backend.measure.head_ruler import HeadMesh
from rome_backend.measure.meshes import ENDINGS, read_mesh
from rome_backend.measure.seen_landmarks import clay_mesh
from rome_backend.measure.true_heads import true_head
from rome_backend.tracking.photo import load_photo
from rome_backend.tracking.upright import find_faces

_H3DS = "full_head.obj"
_PHOTOS = (".jpg", ".png", ".jpeg")
_LARGEST_M = 3.0  # no head is larger: a mesh that is was written in millimetres
_STRAIGHT_DEG = 15.0


@dataclass(frozen=True)
class Scan:
    """A true head in metres, with its photo and that photo's focal length where they are known."""

    name: str
    mesh: HeadMesh
    photo: Path | None
    focal_length: float | None = None


def scan_names(folder: Path, only: Sequence[str] = ()) -> list[str]:
    """Return the names of the scans of a folder, or those of them that begin like ``only``.

    Raises UsageError (`no_scans`).
    """
    found = {path.stem for path in folder.glob("*") if path.suffix.lower() in ENDINGS}
    found |= {path.parent.name for path in folder.glob(f"*/{_H3DS}")}
    names = sorted(name for name in found if not only or name.startswith(tuple(only)))
    if not names:
        raise UsageError(
            "no_scans", f"There are no such scans in {str(folder)!r}.",
            "Give --scans a folder of NAME.ply or NAME.obj, or of H3DS's scenes.",
        )  # fmt: skip
    return names


def scans(folder: Path, names: Sequence[str], tools: Tools) -> Iterator[Scan]:
    """Yield the scans of a folder.

    Raises FileInvalid (`mesh_invalid`, `data_invalid`, `no_face_on_scan`).
    """
    for name in names:
        if (folder / "renders" / name / "cameras.json").is_file():
            truth = true_head(folder, name, tools.tracker)
            yield Scan(name, truth.mesh, truth.renders[0], truth.focal_lengths[0])
        else:
            yield _loose(folder, name, tools)


def _loose(folder: Path, name: str, tools: Tools) -> Scan:
    scene = folder / name / _H3DS
    if scene.is_file():
        mesh, photo = scene, _front(folder / name / "image", tools)
    else:
        mesh = next(path for end in ENDINGS if (path := folder / f"{name}{end}").is_file())
        beside = (folder / f"{name}{end}" for end in _PHOTOS)
        photo = next((path for path in beside if path.is_file()), None)
    vertices, faces = read_mesh(mesh)
    if vertices.max() - vertices.min() > _LARGEST_M:
        vertices = vertices / 1000
    found = clay_mesh(vertices, faces, tools.tracker)
    if found is None:
        raise FileInvalid(
            "no_face_on_scan", f"No face is seen on the mesh {mesh.name} of {name}.",
            "Give a mesh of a head.",
        )  # fmt: skip
    return Scan(name, found, photo)


def _front(folder: Path, tools: Tools) -> Path | None:
    """Return the first picture of a near-frontal head, None without one."""
    for path in sorted(path for path in folder.glob("*") if path.suffix.lower() in _PHOTOS):
        _, faces = find_faces(load_photo(path), tools.tracker)
        if faces and abs(tools.fitter.fit(faces[0].landmarks).yaw) < _STRAIGHT_DEG:
            return path
    return None
