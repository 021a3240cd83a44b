# SPDX-License-Identifier: Apache-2.0
"""Geometry: the layouts of scans and of other programs' meshes, distances side by side."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rome_backend.avatar.create import Tools, load_tools
from rome_backend.core.errors import FileInvalid, UsageError
from rome_backend.core.skinning import shape_vertices
from rome_backend.core.types import F64, HeadModel
from rome_backend.measure.head_ruler import Distances
from training.__main__ import main
from training.evaluation import scans as scans_module
from training.evaluation.geometry import HeadScores, evaluate_geometry, geometry_payload
from training.evaluation.other_meshes import PLACES, other_meshes
from training.evaluation.scans import scan_names, scans


@pytest.fixture(scope="module")
def tools(tracker_models: object) -> Tools:
    return load_tools()


def write_obj(path: Path, vertices: F64, faces: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    path.write_text("\n".join(lines + [f"f {a} {b} {c}" for a, b, c in faces + 1]))


def person(head: HeadModel, seed: int) -> F64:
    shape = np.random.default_rng(seed).normal(size=head.shape_dirs.shape[2])
    return np.asarray(shape_vertices(head, shape))


@pytest.mark.parametrize("kind", PLACES)
def test_each_program_s_mesh_is_found_where_it_writes_it(kind: str, tmp_path: Path) -> None:
    (other,) = other_meshes({kind: tmp_path})
    assert other.kind == kind and other.find("ann") is None
    for place in reversed(PLACES[kind]):  # the first one there is goes before the others
        path = tmp_path / place.format(name="ann")
        path.parent.mkdir(exist_ok=True)
        path.touch()
        assert other.find("ann") == path and other.find("bob") is None


def test_a_detail_mesh_is_left_and_unknown_programs_write_meshes(tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "ann_detail.obj").touch()
    assert other_meshes({"deca": tmp_path})[0].find("ann") is None
    assert other_meshes({"mine": tmp_path})[0].kind == "meshes"


def test_scans_of_all_layouts_are_named(tmp_path: Path) -> None:
    for name in ("b.obj", "a.ply", "scene/full_head.obj", "scene/other.obj", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert scan_names(tmp_path) == ["a", "b", "scene"]
    assert scan_names(tmp_path, ["sc", "b"]) == ["b", "scene"]
    with pytest.raises(UsageError):
        scan_names(tmp_path, ["x"])


def test_a_scene_in_millimetres_is_brought_to_metres(tools: Tools, tmp_path: Path) -> None:
    write_obj(tmp_path / "scene" / "full_head.obj", 1000 * person(tools.head, 1), tools.head.faces)
    (scan,) = scans(tmp_path, ["scene"], tools)
    assert scan.photo is None and np.ptp(scan.mesh.vertices, axis=0).max() < 1
    assert (scan.mesh.weights > 0).sum() > 300


def test_a_scan_without_a_face_is_refused(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans_module, "clay_mesh", lambda vertices, faces, tracker: None)
    corner = np.vstack([np.eye(3), -np.eye(3)])
    write_obj(tmp_path / "ball.obj", corner, np.array([[0, 1, 2], [1, 3, 2]], np.int32))
    with pytest.raises(FileInvalid, match="No face"):
        list(scans(tmp_path, ["ball"], tools))


def test_programs_stand_side_by_side(tools: Tools, tmp_path: Path) -> None:
    """One's mesh is the scan itself in other axes and units, the other's is somebody else's."""
    faces, ann = tools.head.faces, person(tools.head, 1)
    write_obj(tmp_path / "scans" / "ann.obj", ann, faces)
    write_obj(tmp_path / "flametex" / "ann.obj", 7 * ann * [1, -1, -1], faces)
    write_obj(tmp_path / "deca" / "ann" / "ann.obj", person(tools.head, 2), faces)
    (tmp_path / "empty").mkdir()
    given = {name: tmp_path / name for name in ("flametex", "deca", "empty")}
    result = evaluate_geometry(tmp_path / "scans", tools, other_meshes(given))
    (row,) = result["heads"]
    assert row["missing"] == {"empty": "there is no mesh of ann in its folder"}
    same, apart, average = (row[name] for name in ("flametex", "deca", "average"))
    assert same["chamfer"] < 0.3 and same["face"] < 0.15
    assert apart["chamfer"] > 3 * same["chamfer"] and average["chamfer"] > 3 * same["chamfer"]
    assert set(result["mean"]) == {"average", "flametex", "deca"}
    assert "rome" not in row  # there is no photo of it
    json.dumps(result, allow_nan=False)


def test_means_are_over_the_scans_that_a_method_has() -> None:
    one, two = Distances(1.0, 2.0, 0.5), Distances(3.0, 4.0, 1.5)
    heads = [
        HeadScores("a", {"x": one, "y": one}, {}), HeadScores("b", {"x": two}, {"y": "no mesh"}),
    ]  # fmt: skip
    result = geometry_payload(heads)
    assert result["mean"]["x"] == {
        "chamfer": 2.5, "scan_to_mesh": 2, "mesh_to_scan": 3, "face": 1, "heads": 2,
    }  # fmt: skip
    assert result["mean"]["y"]["heads"] == 1 and result["heads"][1]["missing"] == {"y": "no mesh"}


def test_a_true_head_by_the_command(
    data_dir: Path, tracker_models: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    call = ["evaluate", "--protocol", "geometry", "--scans", str(data_dir / "heads3d")]
    assert main([*call, "--only", "ict_neutral", "--json", "--quiet"]) == 0
    (row,) = json.loads(capfd.readouterr().out)["heads"]
    assert set(row) == {"name", "missing", "average", "rome", "rome_no_offsets"}
    assert 0.5 < row["rome"]["chamfer"] < 8
    assert 0.3 < row["rome_no_offsets"]["face"] < 4


@pytest.mark.parametrize(
    ("more", "code"),
    [([], "usage"), (["--scans", "x", "--others", "deca"], "usage"),
     (["--scans", "x", "--others", "deca=nowhere"], "no_outputs")],
)  # fmt: skip
def test_nonsense_is_a_usage_error(
    more: list[str], code: str, tracker_models: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--protocol", "geometry", *more, "--json"]) == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == code
