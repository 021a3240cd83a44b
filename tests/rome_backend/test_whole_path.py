# SPDX-License-Identifier: Apache-2.0
"""Tests of the whole path on the default photo with the real networks: photo to files.

Needs the tracker's model files (`dev.py test` fetches them); skips with a reason without them.
"""

from __future__ import annotations

import json
import struct
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rome_backend.assets.mediapipe import installed
from rome_backend.assets.store import AssetStore
from rome_backend.avatar.avatar import load_avatar, save_avatar
from rome_backend.avatar.create import (
    STAGES,
    CreateOptions,
    CreateResult,
    Tools,
    create_avatar,
    load_tools,
)
from rome_backend.bench.photos import exported_reprojection, posed_rig
from rome_backend.cli import main
from rome_backend.commands.demo import default_photo
from rome_backend.core.errors import Cancelled, PhotoRefused, UsageError
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import Avatar
from rome_backend.export.rig_arrays import rig_arrays

SMALL = CreateOptions(size=256)

pytestmark = pytest.mark.skipif(
    not installed(AssetStore()), reason="the tracker's model files are absent: rome assets fetch"
)


@pytest.fixture(scope="module")
def tools() -> Tools:
    return load_tools()


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return default_photo(tmp_path_factory.mktemp("photo"))


@pytest.fixture(scope="module")
def result(photo: Path, tools: Tools) -> CreateResult:
    return create_avatar([photo], SMALL, tools=tools)


def arrays(value: object) -> dict[str, np.ndarray]:
    """Return every array of an avatar by name, those of its parts included."""
    found: dict[str, np.ndarray] = {}
    for field in fields(value):  # type: ignore[arg-type]
        entry = getattr(value, field.name)
        if isinstance(entry, np.ndarray):
            found[field.name] = entry
        elif hasattr(entry, "__dataclass_fields__"):
            found |= {f"{field.name}.{name}": array for name, array in arrays(entry).items()}
    return found


def test_the_head_matches_the_photo(result: CreateResult, tools: Tools) -> None:
    assert exported_reprojection(tools.head, tools.basis, result.avatar) < 3.5
    assert result.silhouette_iou > 0.85
    assert result.empty_texels == 0
    assert result.faces == 1


def test_the_texture_shows_skin_where_the_photo_did(result: CreateResult) -> None:
    avatar = result.avatar
    assert avatar.albedo.shape == (256, 256, 3)
    shown = avatar.albedo[avatar.confidence > 200].mean(0)
    assert (avatar.confidence > 200).mean() > 0.05
    assert shown[0] > shown[2] > 20  # warmer than grey


def test_every_stage_is_timed(result: CreateResult) -> None:
    assert set(result.seconds) == set(STAGES)
    assert all(seconds >= 0 for seconds in result.seconds.values())


def test_the_same_photo_and_seed_give_the_same_arrays(
    result: CreateResult, photo: Path, tools: Tools
) -> None:
    again = create_avatar([photo], SMALL, tools=tools)
    first, second = arrays(result.avatar), arrays(again.avatar)
    assert set(first) == set(second) and "params.shape" in first
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], err_msg=name)


def test_normals_and_roughness_are_marked_as_estimates_and_can_be_left_out(
    result: CreateResult, photo: Path, tools: Tools
) -> None:
    avatar = result.avatar
    assert avatar.normal_map is not None and avatar.normal_map.shape == (256, 256, 3)
    assert avatar.roughness_map is not None and avatar.roughness_map.shape == (256, 256)
    assert avatar.provenance["estimates"] == ["normal", "roughness"]
    rig = rig_arrays(tools.head, tools.basis, avatar)
    assert rig.normal_map is avatar.normal_map and rig.roughness_map is avatar.roughness_map
    assert rig.properties["estimates"] == ["normal", "roughness"]
    other = create_avatar([photo], replace(SMALL, maps=False, delight=True), tools=tools).avatar
    assert other.normal_map is None and other.roughness_map is None
    assert other.provenance["estimates"] == [] and other.provenance["delight"] is True
    assert rig_arrays(tools.head, tools.basis, other).properties["estimates"] == []
    assert (other.albedo != avatar.albedo).mean() > 0.1


def test_offsets_are_basis_and_free_offsets(result: CreateResult, tools: Tools) -> None:
    avatar = result.avatar
    total = tools.basis.mean + tools.basis.dirs @ avatar.offset_coefficients + avatar.free_offsets
    np.testing.assert_allclose(avatar.offsets, total, atol=2e-6)


def test_the_rig_posed_by_the_stored_parameters_is_the_fitted_head(
    result: CreateResult, tools: Tools
) -> None:
    avatar = result.avatar
    rig = posed_rig(rig_arrays(tools.head, tools.basis, avatar), tools.head, avatar)
    direct = posed_vertices(tools.head, avatar.params, avatar.offsets)
    np.testing.assert_allclose(rig, direct, atol=1e-5)


def test_the_file_keeps_it_all(result: CreateResult, tmp_path: Path) -> None:
    save_avatar(result.avatar, tmp_path / "x.rome")
    loaded: Avatar = load_avatar(tmp_path / "x.rome")
    for name, array in arrays(result.avatar).items():
        np.testing.assert_array_equal(array, arrays(loaded)[name], err_msg=name)
    assert loaded.provenance == json.loads(json.dumps(dict(result.avatar.provenance)))


def test_two_photos_of_one_person_share_one_identity(
    photo: Path, tools: Tools, tmp_path: Path, result: CreateResult
) -> None:
    fractions: list[float] = []
    mirrored = tmp_path / "mirrored.png"
    Image.open(photo).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(mirrored)
    both = create_avatar(
        [photo, mirrored], SMALL, lambda stage, fraction: fractions.append(fraction), tools=tools
    ).avatar
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert both.provenance["photos"] == [photo.name, "mirrored.png"]
    assert exported_reprojection(tools.head, tools.basis, both) < 3.5
    assert np.abs(both.params.shape - result.avatar.params.shape).max() > 0


def test_a_photo_without_a_face_is_refused(tools: Tools, tmp_path: Path) -> None:
    Image.new("RGB", (300, 300), (90, 120, 60)).save(tmp_path / "meadow.png")
    with pytest.raises(PhotoRefused) as caught:
        create_avatar([tmp_path / "meadow.png"], SMALL, tools=tools)
    assert caught.value.code == "no_face"


def test_no_photo_and_no_such_face_are_usage_errors(photo: Path, tools: Tools) -> None:
    with pytest.raises(UsageError):
        create_avatar([], SMALL, tools=tools)
    with pytest.raises(UsageError):
        create_avatar([photo], CreateOptions(size=256, face=5), tools=tools)


@pytest.mark.parametrize("after", [0, 2])
def test_it_stops_between_stages_when_asked(photo: Path, tools: Tools, after: int) -> None:
    seen: list[str] = []
    with pytest.raises(Cancelled):
        create_avatar(
            [photo], SMALL, lambda stage, fraction: seen.append(stage),
            lambda: len(seen) >= after, tools,
        )  # fmt: skip
    assert seen == list(STAGES[:after])


def test_the_command_makes_a_head_with_everything(
    photo: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = main(
        ["create", str(photo), "-o", str(tmp_path / "x.glb"), "--texture-size", "256", "--json"]
    )
    payload = json.loads(capfd.readouterr().out)
    assert code == 0 and payload["faces"] == 1 and payload["warnings"] == []
    data = (tmp_path / "x.glb").read_bytes()
    assert data[:4] == b"glTF" and struct.unpack("<I", data[8:12])[0] == len(data)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.glb", "x.rome"]
