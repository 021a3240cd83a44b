# SPDX-License-Identifier: Apache-2.0
"""The whole forward pass against the numbers of the official classes (end_to_end, offsets)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rome_backend.avatar.driven_pose import driven_pose
from rome_backend.avatar.feed_forward import (
    FeedForward,
    FeedForwardOptions,
    RomeNetworks,
    offset_rows,
    rome_networks,
)
from rome_backend.avatar.head_surface import HeadSurface
from rome_backend.models.face_regressor import split_face_code
from rome_backend.models.key_map import INFERENCE
from rome_backend.tracking.alignment import crop_box, uncropped_camera

LEGACY = FeedForwardOptions(legacy=True)


@pytest.fixture(scope="module", autouse=True)
def _inference() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad():
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def head(data_dir: Path) -> SimpleNamespace:
    """FLAME 2023 Open's arrays under our names; the last 20 shapes stand for expressions."""
    arrays = np.load(data_dir / "flame" / "flame2023_open_reduced.npz")
    return SimpleNamespace(
        template=arrays["v_template"],
        faces=torch.as_tensor(arrays["faces"].astype(np.int64)),
        shape_dirs=arrays["shapedirs"][:, :, :40],
        expression_dirs=arrays["shapedirs"][:, :, 40:],
        pose_dirs=arrays["posedirs"],
        weights=arrays["weights"],
        joint_regressor=arrays["J_regressor"],
        parents=arrays["parents"],
    )


@pytest.fixture(scope="module")
def networks(official_state: Callable) -> RomeNetworks:
    return rome_networks({name: official_state(name) for name in INFERENCE})


@pytest.fixture(scope="module")
def data(parity_dir: Path) -> dict[str, np.ndarray]:
    return dict(np.load(parity_dir / "end_to_end.npz"))


@pytest.fixture(scope="module")
def replay(
    networks: RomeNetworks, head: SimpleNamespace, data: dict[str, np.ndarray]
) -> SimpleNamespace:
    """Run the whole chain once."""
    surface = HeadSurface(
        head.faces,
        torch.as_tensor(data["uv"]),
        torch.as_tensor(data["uv_faces"].astype(np.int64)),
        torch.as_tensor(data["vertex_uv"]),
        torch.as_tensor(data["mask"]),
    )
    system = FeedForward(networks, surface, LEGACY)
    picture, matte = (
        torch.as_tensor(data[f"source_{name}_u8"].astype(np.float32) / 255)[None]
        for name in ("img", "mask")
    )
    texture = system.encode(picture, matte)
    source, driver = (split_face_code(torch.as_tensor(data["codes"][i : i + 1])) for i in (0, 1))
    camera = uncropped_camera(driver.camera[0].numpy(), crop_box(data["target_kp"]))
    driver = replace(driver, camera=torch.as_tensor(camera).float()[None])
    driven = system.drive(texture, head, driven_pose(source, driver), (256, 256))  # type: ignore[arg-type]
    return SimpleNamespace(system=system, texture=texture, driven=driven)


def hard_mask(data: dict[str, np.ndarray]) -> np.ndarray:
    return np.unpackbits(data["hard_mask_bits"], axis=-1).astype(bool)


def test_neural_texture_parity(replay: SimpleNamespace, data: dict[str, np.ndarray]) -> None:
    expected = data["texture_sub"]
    found = replay.texture[0, :, ::8, ::8].numpy()
    assert np.abs(found - expected).max() <= 2e-5 * np.abs(expected).max()


def test_vertices_parity(replay: SimpleNamespace, data: dict[str, np.ndarray]) -> None:
    assert np.abs(replay.driven.vertices[0].numpy() - data["vertices"]).max() <= 1e-6
    projected = replay.driven.projected[0].numpy() - np.array([0, 0, 20])
    assert np.abs(projected - data["vertices_target"]).max() <= 5e-6


def test_raster_parity(replay: SimpleNamespace, data: dict[str, np.ndarray]) -> None:
    rendered = replay.driven.rendered
    few = 0.0005 * 256 * 256
    covered = rendered.fragments.covered()[0].numpy()
    assert (covered != hard_mask(data)).sum() <= few
    for found, name in ((rendered.normals, "normals"), (rendered.uv, "uv_image")):
        error = np.abs(found[0].numpy() - data[name]).max(0)
        assert (error > 1e-4).sum() <= few, name


def test_picture_stage_parity(replay: SimpleNamespace, data: dict[str, np.ndarray]) -> None:
    grid = torch.as_tensor(data["uv_image"]).permute(1, 2, 0)[None]
    sampled = torch.nn.functional.grid_sample(replay.texture, grid, align_corners=False)
    textured = sampled * torch.as_tensor(hard_mask(data))
    rgb, logits = replay.system.neural_picture(textured, torch.as_tensor(data["normals"])[None])
    assert np.abs(rgb[0, :, ::4, ::4].numpy() - data["pred_img_sub"]).max() <= 1e-4
    mask = torch.sigmoid(logits)[0, :, ::4, ::4].numpy()
    assert np.abs(mask - data["soft_mask_sub"]).max() <= 1e-4


def test_full_chain_parity(replay: SimpleNamespace, data: dict[str, np.ndarray]) -> None:
    rendered = replay.driven.rendered
    found = torch.cat([rendered.rgb, rendered.soft_mask], dim=1)[0, :, ::4, ::4].numpy()
    expected = np.concatenate([data["pred_img_sub"], data["soft_mask_sub"]])
    error = np.abs(found - expected)
    assert (error <= 5e-4).mean() >= 0.95 and error.max() <= 1e-2


def test_offsets_parity(parity_dir: Path, networks: RomeNetworks, head: SimpleNamespace) -> None:
    data = np.load(parity_dir / "offsets.npz")
    latent = torch.as_tensor(data["Z"].astype(np.float32))
    own = torch.as_tensor(data["vertex_uv"])
    rows = offset_rows(latent, own)[0, ::25].numpy()
    assert np.abs(rows - data["mlp_input_sub"]).max() <= 2e-5
    mask = torch.as_tensor(data["mask"].astype(np.float32))
    system = FeedForward(networks, HeadSurface(head.faces, own, head.faces, own, mask), LEGACY)
    found = system.latent_offsets(latent, torch.as_tensor(head.template)[None])
    assert np.abs(found.factors[0].numpy() - data["displacement"]).max() <= 2e-5
    assert np.abs(found.offsets[0].numpy() - data["offset"]).max() <= 2e-5
