# SPDX-License-Identifier: Apache-2.0
"""Photo to avatar and pictures on FLAME with the official architecture, random weights.

Needs the tracker's model files and the test data; skips with a reason without them.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from rome_backend.assets.importer import import_paths
from rome_backend.assets.store import AssetStore
from rome_backend.avatar import heads, neural_frame, neural_render
from rome_backend.avatar.animate import avatar_vertices
from rome_backend.avatar.avatar import load_avatar
from rome_backend.avatar.choices import Choice
from rome_backend.avatar.head_surface import offset_mask
from rome_backend.avatar.installed_networks import load_networks
from rome_backend.avatar.neural_preview import preview_again
from rome_backend.avatar.neural_source import code_fit, deca_fits, neural_source
from rome_backend.avatar.rebake import _crop, _fit
from rome_backend.avatar.render import camera_round
from rome_backend.avatar.renderers import neural_avatar
from rome_backend.cli import main
from rome_backend.core.avatar_text import pack_steps
from rome_backend.core.camera import fit_camera, project
from rome_backend.core.messages import KeepAvatar, RenderFrame, SetSurface
from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.skinning import posed_vertices, regress_joints, shape_vertices
from rome_backend.core.types import Avatar, HeadModel
from rome_backend.export.rig_arrays import rig_arrays
from rome_backend.models.face_regressor import split_face_code
from rome_backend.server.frames import Frames
from rome_backend.server.jobs import Job

PHOTO = "p01_astronaut_collins.png"
PEAK_GIB = 4.0

pytestmark = pytest.mark.timeout(900)  # one create at 512 px, by networks, on a CPU


def module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, data_dir: Path, tracker_models: Path
) -> Iterator[Path]:
    """A home with the tracker and everything official installed, in force for this module."""
    here = Path(__file__).parent
    folder = tmp_path_factory.mktemp("official")
    (folder / "files").mkdir()
    pickles = module("model_files", here / "assets" / "model_files.py")
    files = module("official_files", here / "official_files.py")
    files.write_all(folder / "files", data_dir / "flame", pickles)
    store = AssetStore(folder / "home" / "assets")
    shutil.copytree(tracker_models, store.folder)
    report = import_paths([folder / "files"], store)
    assert not report.refused and len(report.imported) == 8
    shutil.rmtree(folder / "files")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROME_HOME", str(folder / "home"))
        heads.load_head.cache_clear()
        yield folder / "home"
        heads.load_head.cache_clear()
    shutil.rmtree(store.folder)


@pytest.fixture(scope="module")
def head(home: Path) -> HeadModel:
    return heads.load_head("flame")[0]


@pytest.fixture(scope="module")
def made(home: Path, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An avatar made by the command with a 512 px neural texture, in a process of its own."""
    out = tmp_path_factory.mktemp("avatar") / "a.rome"
    command = [
        sys.executable, "-m", "rome_backend", "create", str(data_dir / "photos" / PHOTO),
        "-o", str(out), "--tracker", "open", "--head", "flame", "--networks", "official",
        "--neural-size", "512", "--texture-size", "256", "--json",
    ]  # fmt: skip
    root = Path(__file__).parents[2]
    environment = {**os.environ, "ROME_HOME": str(home), "PYTHONPATH": str(root)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["chosen"] == {"head": "flame", "tracker": "open", "networks": "official"}
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    assert peak < PEAK_GIB, f"{peak:.2f} GiB"
    return out


@pytest.fixture(scope="module")
def avatar(made: Path) -> Avatar:
    return load_avatar(made)


def test_the_avatar_keeps_the_networks_work_and_says_so(avatar: Avatar, head: HeadModel) -> None:
    assert avatar.neural_texture is not None and avatar.neural_texture.shape == (8, 512, 512)
    assert avatar.neural_texture.std() > 0 and len(avatar.weights_id) == 16
    assert avatar.topology_id == head.topology_id
    assert avatar.licences["networks"] == "ROME-noncommercial-research"
    assert avatar.licences["the whole"] == "FLAME-noncommercial-research"
    assert avatar.provenance["networks"] == "official"


def test_only_the_released_set_of_vertices_moves(avatar: Avatar) -> None:
    from rome_backend.core.tensor_file import read_tensors

    table = read_tensors(AssetStore().verify("rome-mean-offsets"))[0]["table"]
    moving = np.abs(avatar.offsets).max(1) > 0
    allowed = np.abs(table).max(1) > 0
    assert moving.any() and not (moving & ~allowed).any()


def test_a_photo_gives_a_fit_on_flame(avatar: Avatar, head: HeadModel) -> None:
    assert avatar.provenance["fit"]["residual"] < 4.0  # % of the eye distance, 105 landmarks
    assert np.abs(avatar.params.shape).max() > 0.1
    low, high = avatar.params.expression.min(), avatar.params.expression.max()
    assert low < 0 < high and max(-low, high) < 3.0


def test_the_network_draws_it_at_256(made: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    assert main(["render", str(made), "-o", str(one), "--size", "256", "--yaw", "20"]) == 0
    drawn = np.asarray(Image.open(one))
    assert drawn.shape == (256, 256, 4)
    assert main(["render", str(made), "-o", str(two), "--size", "256", "--texture"]) == 0
    assert (np.asarray(Image.open(two)) != drawn).any()


def test_the_network_draws_it_at_512(made: Path, tmp_path: Path) -> None:
    assert main(["render", str(made), "-o", str(tmp_path / "a.png"), "--size", "512"]) == 0
    assert Image.open(tmp_path / "a.png").size == (512, 512)


def test_the_neural_texture_can_be_looked_at(
    avatar: Avatar, made: Path, head: HeadModel, tmp_path: Path
) -> None:
    assert avatar.neural_preview is not None and avatar.neural_preview.shape == (256, 256, 3)
    assert avatar.neural_preview.std() > 1
    assert rig_arrays(*heads.load_head("flame"), avatar).neural_preview is avatar.neural_preview
    assert main(["render", str(made), "-o", str(tmp_path / "maps"), "--neural-maps"]) == 0
    sizes = {path.name[-12:]: Image.open(path).size for path in (tmp_path / "maps").iterdir()}
    assert sizes == {"_preview.png": (256, 256), "channels.png": (512, 512)}


def test_the_render_engines_frames_are_drawn_by_the_networks(
    avatar: Avatar, made: Path, head: HeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same head, in the same camera, by the messages that Blender sends."""
    for place in (neural_frame, neural_render):  # random masks hardly ever pass the released one
        monkeypatch.setattr(place, "MASK_THRESHOLD", 0.3)
    data = made.read_bytes()
    steps = pack_steps(data)
    with pytest.raises(StopIteration) as end:
        while True:
            next(steps)
    packed = end.value.value
    vertices = avatar_vertices(avatar, head)
    camera = camera_round(vertices, 20.0, 0.0, 256)
    frames = Frames("cpu")
    uvs = np.asarray(head.uvs, np.float32)[head.uv_faces]
    messages = (
        SetSurface(1, "a", np.asarray(head.faces, np.int32), uvs, avatar.albedo),
        KeepAvatar(2, packed.key, np.frombuffer(packed.text.encode(), np.uint8)),
        RenderFrame(
            3, 256, 256, camera.world_to_clip, camera.world_to_clip, ("a",),
            (vertices.astype(np.float32),), (np.eye(4),), ("combined", "mask"), "rome",
            avatar_ids=(packed.key,),
        ),
    )  # fmt: skip
    for message in messages:
        answer = frames.table()[type(message)](message, Job(message, lambda told: None))
    assert answer.drawn_by == ("rome",) and answer.mask.max() == 1
    cpu = torch.device("cpu")
    drawer = neural_avatar("rome", avatar, head, AssetStore(), cpu)
    alone = drawer.pictures([(camera, None)], None)[0] / 255
    kept = (alone[..., 3] > 0) & (answer.combined[..., 3] > 0.9)
    assert kept.mean() > 0.5
    assert abs((alone[..., 3] > 0).sum() - answer.combined[..., 3].sum()) < 0.1 * 256**2
    assert np.abs(alone - answer.combined)[kept].mean() < 0.05


def test_the_preview_can_be_drawn_again(avatar: Avatar, head: HeadModel) -> None:
    blank = replace(avatar, neural_preview=np.zeros((256, 256, 3), np.uint8))
    again = preview_again(blank, head, 256, AssetStore(), torch.device("cpu")).neural_preview
    assert again is not None and again.shape == (256, 256, 3)
    assert np.abs(again.astype(int) - avatar.neural_preview).mean() < 2


def test_a_size_the_network_cannot_draw_is_a_usage_error(made: Path, tmp_path: Path) -> None:
    assert main(["render", str(made), "-o", str(tmp_path / "x.png"), "--size", "250"]) == 2


def test_the_source_at_256_and_the_linear_model(avatar: Avatar, head: HeadModel) -> None:
    crop, fit = _crop(avatar), _fit(avatar)
    cpu = torch.device("cpu")
    official = load_networks(Choice("open", "flame", "official"), head, AssetStore(), cpu)
    found = neural_source(official, head, fit, crop, 256)
    assert found.neural_texture is not None and found.neural_texture.shape == (8, 256, 256)
    linear = load_networks(Choice("open", "flame", "linear"), head, AssetStore(), cpu)
    assert linear.linear is not None and linear.feed_forward is None
    found = neural_source(linear, head, fit, crop, 256)
    mean = linear.linear.mean.numpy()
    assert found.neural_texture is None and found.offsets.shape == head.template.shape
    assert np.abs(found.offsets[np.abs(mean).max(1) == 0]).max() < 1e-6
    assert 0 < np.abs(found.offsets - mean).max() < 0.5


def test_decas_code_becomes_a_fit(avatar: Avatar, head: HeadModel) -> None:
    cpu = torch.device("cpu")
    installed = load_networks(Choice("deca", "flame", "open"), head, AssetStore(), cpu)
    assert installed.face_regressor is not None
    crop = _crop(avatar)
    (fit,) = deca_fits(installed.face_regressor, head, [crop])
    assert fit.residual < 60 and abs(fit.yaw) < 1 and np.isfinite(fit.translation).all()
    points = project(fit_camera(fit, *crop.matte.shape[::-1]), posed_vertices(head, fit.params))
    low, high = points[head.regions["face"], :2].min(0), points[head.regions["face"], :2].max(0)
    seen = crop.landmarks[:, :2]
    assert (low < seen.mean(0)).all() and (high > seen.mean(0)).all()


def test_a_fit_places_the_head_where_the_code_does(avatar: Avatar, head: HeadModel) -> None:
    """Rome-spec 2.7, written out: turned about the root joint, then shifted and scaled."""
    random = np.random.default_rng(3)
    numbers = torch.from_numpy(random.normal(size=(1, 236)) * 0.3).float()
    numbers[0, 206:209] = torch.tensor([4.0, 0.1, -0.05])
    code = split_face_code(numbers)
    crop = _crop(avatar)
    fit = code_fit(code, head, crop)
    expressed = shape_vertices(head, fit.params.shape, fit.params.expression)
    root = regress_joints(head, expressed)[0]
    canonical = posed_vertices(head, fit.params, joints_from="expressed")
    turned = (canonical - root) @ np.asarray(rotation_matrices(code.pose[0, :3].numpy())).T + root
    scale, x, y = code.camera[0].numpy()
    side = crop.matte.shape[0]
    wanted = np.stack([scale * (turned[:, 0] + x), -scale * (turned[:, 1] + y)], -1)
    wanted = (wanted + 1) * side / 2
    vertices = posed_vertices(head, fit.params, joints_from="expressed")
    found = project(fit_camera(fit, side, side), vertices)[:, :2]
    assert np.abs(found - wanted).max() < 0.01 * side / 100
    with pytest.raises(ValueError, match="components"):
        code_fit(code, replace(head, shape_dirs=head.shape_dirs[..., :60]), crop)


def test_an_avatar_of_other_weights_is_not_drawn(made: Path, tmp_path: Path) -> None:
    from rome_backend.avatar.avatar import save_avatar

    other = replace(load_avatar(made), weights_id="0" * 16)
    save_avatar(other, tmp_path / "b.rome")
    assert main(["render", str(tmp_path / "b.rome"), "-o", str(tmp_path / "x.png")]) == 4


def test_the_mask_is_the_support_of_the_mean_offsets(head: HeadModel) -> None:
    table = np.zeros_like(head.template)
    table[[3, 700]] = 0.01
    assert np.flatnonzero(offset_mask(head, table)).tolist() == [3, 700]
