# SPDX-License-Identifier: Apache-2.0
"""`rome render`: which renderer draws, batches, pictures written as they come, what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from rome_backend.avatar import heads, renderers
from rome_backend.avatar.avatar import save_avatar
from rome_backend.avatar.head_surface import head_surface
from rome_backend.avatar.light_weights import save_light_renderer
from rome_backend.avatar.neural_render import NeuralAvatar, View
from rome_backend.cli import main
from rome_backend.commands import render
from rome_backend.core.errors import AssetMissing, UsageError
from rome_backend.core.types import U8, Avatar, HeadModel
from rome_backend.inference import int8
from rome_backend.inference.int8 import Int8Network
from rome_backend.models.light_renderer import LightParams, make_light_renderer

SIDE = 32


@pytest.fixture(autouse=True)
def home(small_head: HeadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROME_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(heads, "load_head", lambda choice: (small_head, None))


@pytest.fixture
def neural(small_avatar: Avatar) -> Avatar:
    texture = np.random.default_rng(2).normal(size=(8, 16, 16)).astype(np.float32)
    return replace(small_avatar, neural_texture=texture, weights_id="abc")


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with weights of a tiny light renderer, where the program looks for them."""
    torch.manual_seed(0)
    folder = tmp_path / "weights"
    folder.mkdir()
    network = make_light_renderer(LightParams(base=8, levels=2))
    save_light_renderer(network, folder / "light.safetensors", "abc", {})
    monkeypatch.setattr(renderers.neural_avatar, "__defaults__", ("cpu", folder, ()))
    return folder


def drawn(avatar: Avatar, folder: Path, *options: str) -> tuple[int, list[U8]]:
    """Save an avatar, run the command; return its exit code and the pictures by name."""
    save_avatar(avatar, folder / "a.rome")
    out = folder / "out"
    code = main(["render", str(folder / "a.rome"), "-o", str(out), "--size", str(SIDE), *options])
    return code, [np.asarray(Image.open(path)) for path in sorted(out.glob("*.png"))]


def error_of(capfd: pytest.CaptureFixture[str]) -> str:
    return str(json.loads(capfd.readouterr().out)["error"]["code"])


def test_a_timeline_is_drawn_in_order_whatever_the_batches(
    neural: Avatar, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for number, pixels in enumerate((1, 3 * SIDE**2, 100 * SIDE**2)):
        monkeypatch.setattr(render, "BATCH_PIXELS", pixels)
        folder = tmp_path / str(number)
        folder.mkdir()
        code, pictures = drawn(neural, folder, "--turntable", "7", "--renderer", "light")
        assert code == 0 and len(pictures) == 7
        found.append(np.stack(pictures).astype(int))
    assert np.abs(found[0] - found[1]).max() <= 1 and np.abs(found[0] - found[2]).max() <= 1
    assert np.abs(found[0][0] - found[0][3]).max() > 20


def test_expressions_go_to_the_network_too(neural: Avatar, weights: Path, tmp_path: Path) -> None:
    code, pictures = drawn(neural, tmp_path, "--expressions", "--renderer", "light")
    assert code == 0 and len(pictures) == 5 and pictures[0].shape == (SIDE, SIDE, 4)
    assert (pictures[0] != pictures[1]).any()


@pytest.mark.parametrize("option", [["--renderer", "textured"], ["--texture"], ["--clay"]])
def test_the_mesh_is_drawn_where_it_is_asked_for(
    option: list[str], neural: Avatar, small_avatar: Avatar, tmp_path: Path
) -> None:
    (tmp_path / "plain").mkdir()
    clay = ["--clay"] if option == ["--clay"] else []
    code, pictures = drawn(neural, tmp_path, *option)
    assert code == 0
    assert np.array_equal(pictures, drawn(small_avatar, tmp_path / "plain", *clay)[1])


@pytest.mark.parametrize("name", ["photo", "light"])
def test_the_photo_is_drawn_without_any_networks_installed(
    name: str, small_avatar: Avatar, tmp_path: Path
) -> None:
    code, pictures = drawn(small_avatar, tmp_path, "--turntable", "3", "--renderer", name)
    assert code == 0 and [each.shape for each in pictures] == [(SIDE, SIDE, 4)] * 3
    (tmp_path / "mesh").mkdir()
    _, mesh = drawn(small_avatar, tmp_path / "mesh", "--turntable", "3")
    assert all((own != other).any() for own, other in zip(pictures, mesh, strict=True))


@pytest.mark.parametrize(
    ("options", "code", "error"),
    [
        (["--renderer", "light"], 4, "renderer_untrained"),
        (["--renderer", "light-blocks"], 4, "renderer_untrained"),
        (["--renderer", "rome"], 4, "networks_missing"),
        (["--renderer", "heavy"], 2, "renderer_unknown"),
        ([], 4, "networks_missing"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(
    options: list[str], code: int, error: str, neural: Avatar, tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert drawn(neural, tmp_path, "--json", *options) == (code, [])
    assert error_of(capfd) == error
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
@pytest.mark.parametrize("renderer", ["textured", "light"])
def test_a_missing_device_is_refused_and_not_passed_over(
    renderer: str, neural: Avatar, weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ["--device", "cuda", "--renderer", renderer, "--json"]
    assert drawn(neural, tmp_path, *options) == (1, [])
    assert error_of(capfd) == "device_missing"


def test_pictures_are_written_as_they_come(tmp_path: Path) -> None:
    seen: list[int] = []

    def pictures() -> Iterator[tuple[str, U8]]:
        for number in range(40):
            seen.append(sum(1 for _ in tmp_path.rglob("*.png")))
            yield f"{number:03d}", np.zeros((4, 4, 4), np.uint8)

    paths = render.write_pictures(pictures(), tmp_path / "out", "a", several=True)
    assert [path.name for path in paths] == [f"a_{number:03d}.png" for number in range(40)]
    for number, there in enumerate(seen):
        assert there >= number - render.PICTURES_WAITING - 1


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def pictures() -> Iterator[tuple[str, U8]]:
        yield "1", np.zeros((4, 4, 4), np.uint8)
        raise UsageError("x", "y")

    with pytest.raises(UsageError):
        render.write_pictures(pictures(), tmp_path / "out", "a", several=True)
    assert list(tmp_path.iterdir()) == []


def test_views_are_taken_while_they_are_drawn_never_all_at_once(
    neural: Avatar, small_head: HeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What bounds the memory of ten thousand frames: three batches are alive at most."""
    from rome_backend.avatar.animate import avatar_vertices
    from rome_backend.avatar.render import camera_round

    monkeypatch.setattr(render, "BATCH_PIXELS", 2 * SIDE**2)
    torch.manual_seed(0)
    network = make_light_renderer(LightParams(base=8, levels=2))
    drawing = renderers.light_drawing(network, head_surface(small_head))
    camera = camera_round(avatar_vertices(neural, small_head), 0.0, 0.0, SIDE)
    taken: list[int] = []

    def views() -> Iterator[tuple[str, View]]:
        for number in range(20):
            taken.append(number)
            yield str(number), (camera, None)

    done = render.drawn_by_network(NeuralAvatar(drawing, neural, small_head), views(), SIDE)
    for number, (title, _) in enumerate(done):
        assert title == str(number) and len(taken) <= number + 5
    assert len(taken) == 20


class Coarse(Int8Network):
    """Stands for a network in 8 bits, which takes one view at a time."""

    def __init__(self, network: nn.Module) -> None:
        nn.Module.__init__(self)
        self.network, self.psnr_db, self.shapes = network, 34.567, set[tuple[int, ...]]()

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        self.shapes.add(tuple(values.shape))
        return torch.round(self.network(values) * 8) / 8


def test_a_preview_tells_how_far_it_is_off(
    neural: Avatar, weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made: list[Coarse] = []

    def preview(network: nn.Module, examples: list[torch.Tensor]) -> Coarse:
        assert [tuple(each.shape) for each in examples] == [(1, 11, SIDE, SIDE)] * 4
        assert not torch.equal(examples[0], examples[1])
        made.append(Coarse(network))
        return made[0]

    monkeypatch.setattr(renderers, "preview_network", preview)
    options = ["--renderer", "light", "--turntable", "3", "--preview", "--json"]
    code, pictures = drawn(neural, tmp_path, *options)
    told = capfd.readouterr()
    assert code == 0 and len(pictures) == 3
    assert json.loads(told.out)["preview_psnr_db"] == 34.57
    assert "34.6 dB" in told.err
    assert made[0].shapes == {(1, 11, SIDE, SIDE)}


def test_without_openvino_it_is_drawn_in_full_and_said(
    neural: Avatar, weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def missing(*_: object) -> None:
        raise AssetMissing("int8_missing", "OpenVINO is not there.")

    monkeypatch.setattr(int8, "Int8Network", missing)
    code, pictures = drawn(neural, tmp_path, "--renderer", "light", "--preview", "--json")
    told = capfd.readouterr()
    assert code == 0 and len(pictures) == 1
    assert json.loads(told.out)["preview_psnr_db"] is None
    assert "no preview in 8 bits" in told.err


@pytest.mark.parametrize("how", [["--renderer", "textured"], ["--clay"]])
def test_the_mesh_has_no_preview(
    how: list[str], neural: Avatar, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert drawn(neural, tmp_path, "--preview", "--json", *how) == (2, [])
    assert error_of(capfd) == "preview"
