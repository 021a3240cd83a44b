# SPDX-License-Identifier: Apache-2.0
"""Scans and their photos: which picture of a scene is taken, photos beside meshes, refusals."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rome_backend.core.errors import PhotoRefused
from rome_backend.core.types import Photo, TrackedFace
from rome_backend.measure.head_ruler import HeadMesh
from training.evaluation import geometry as geometry_module
from training.evaluation import scans as scans_module
from training.evaluation.geometry import head_scores, own_heads
from training.evaluation.scans import Scan, scans

MESH = HeadMesh(np.eye(3), np.array([[0, 1, 2]], np.int32), np.zeros((468, 3)), np.ones(468))


def fitted(landmarks: np.ndarray) -> Any:
    """A picture's brightness is its head's turn in degrees; 255 shows no face."""
    return SimpleNamespace(yaw=float(landmarks[0, 0]) - 100)


TOOLS: Any = SimpleNamespace(tracker=None, fitter=SimpleNamespace(fit=fitted), head=None)


@pytest.fixture(autouse=True)
def _seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_faces(photo: Photo, tracker: object) -> tuple[Photo, list[TrackedFace]]:
        light = photo.rgb[0, 0, 0]
        points = np.full((478, 3), light, np.float32)
        return photo, [] if light == 255 else [TrackedFace(points, 1.0)]

    monkeypatch.setattr(scans_module, "find_faces", find_faces)
    monkeypatch.setattr(scans_module, "clay_mesh", lambda *rest: MESH)


def photo(path: Path, light: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((64, 64, 3), light, np.uint8)).save(path)
    return path


def mesh(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")


def test_a_scene_s_photo_is_its_first_straight_one(tmp_path: Path) -> None:
    mesh(tmp_path / "s" / "full_head.obj")
    for place, light in enumerate((255, 150, 60, 108, 100)):
        photo(tmp_path / "s" / "image" / f"img_{place:04d}.png", light)
    (scan,) = scans(tmp_path, ["s"], TOOLS)
    assert scan.photo is not None and scan.photo.name == "img_0003.png"
    assert scan.name == "s" and scan.focal_length is None


def test_a_scene_seen_from_the_side_alone_has_no_photo(tmp_path: Path) -> None:
    mesh(tmp_path / "s" / "full_head.obj")
    photo(tmp_path / "s" / "image" / "img_0000.png", 160)
    assert [scan.photo for scan in scans(tmp_path, ["s"], TOOLS)] == [None]


def test_the_photo_beside_a_mesh_is_its_own(tmp_path: Path) -> None:
    mesh(tmp_path / "ann.obj")
    mesh(tmp_path / "bob.obj")
    own = photo(tmp_path / "ann.png", 100)
    assert [scan.photo for scan in scans(tmp_path, ["ann", "bob"], TOOLS)] == [own, None]


def test_without_a_photo_nothing_of_ours_is_compared() -> None:
    assert own_heads(Scan("ann", MESH, None), TOOLS) == {}


def test_a_refused_photo_is_said_and_the_others_still_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*rest: object, **options: object) -> None:
        raise PhotoRefused("no_face", "No face was found.", "Use another photo.")

    class Told:
        def __init__(self, *rest: object, **options: object) -> None:
            assert options == {"refine": True}

        def distances(self, found: HeadMesh) -> str:
            return "measured"

    monkeypatch.setattr(geometry_module, "create_avatar", refuse)
    monkeypatch.setattr(geometry_module, "Ruler", Told)
    monkeypatch.setattr(geometry_module, "model_mesh", lambda *rest: MESH)
    tools: Any = SimpleNamespace(head=SimpleNamespace(template=np.zeros((3, 3), np.float32)))
    found = head_scores(Scan("ann", MESH, tmp_path / "ann.png"), tools)
    assert dict(found.distances) == {"average": "measured"}
    assert found.missing == {"rome": "No face was found."}
