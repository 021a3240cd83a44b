# SPDX-License-Identifier: Apache-2.0
"""Alignment and crops against the official numbers, and what they promise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.core.camera import project_weak_perspective
from rome_backend.core.rotations import rotation_matrices
from rome_backend.tracking.alignment import (
    CropBox,
    align_landmarks,
    aligned,
    crop_box,
    face_crop,
    ffhq_theta,
    landmarks_ndc,
    sample_ndc,
    uncropped_camera,
)


def face(seed: int = 0, roll: float = 0.0) -> np.ndarray:
    """68 points that are a face: eyes, mouth and the others around them, px of 256."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-40, 40, (68, 2))
    points[36:42] = rng.normal([-20, -15], 2, (6, 2))
    points[42:48] = rng.normal([20, -15], 2, (6, 2))
    points[48:60] = rng.normal([0, 25], 5, (12, 2))
    turn = rotation_matrices([0, 0, np.radians(roll)])[:2, :2]
    return points @ turn.T + [120, 130]


def test_alignment_parity(parity_dir: Path) -> None:
    data = np.load(parity_dir / "alignment.npz")
    for number, (landmarks, size) in enumerate(zip(data["landmarks"], data["size"], strict=True)):
        theta = ffhq_theta(landmarks, int(size))
        assert np.abs(theta - data["theta_closed"][number]).max() <= 1e-12
        assert np.abs(theta - data["theta_official"][number]).max() <= 5e-5


@pytest.mark.parametrize(("source", "limit"), [("official", 2e-5), ("closed", 1e-3)])
def test_warp_parity(parity_dir: Path, source: str, limit: float) -> None:
    data = np.load(parity_dir / "alignment.npz")
    closed = ffhq_theta(data["warp_landmarks"], 256)
    theta = data["warp_theta"] if source == "official" else closed
    for name in ("img", "mask"):
        picture = data[f"warp_{name}_u8"].astype(np.float32) / 255
        found = aligned(picture, theta)
        assert found.shape == (len(picture), 256, 256)
        assert np.abs(found[:, ::4, ::4] - data[f"warp_out_{name}"]).max() <= limit


def test_normalised_landmarks_parity(parity_dir: Path) -> None:
    data = np.load(parity_dir / "alignment.npz")
    found = landmarks_ndc(data["warp_kp_pixels"], 256)
    assert np.abs(found - data["warp_kp_out"]).max() <= 1e-6


def test_face_crop_parity(parity_dir: Path) -> None:
    data = np.load(parity_dir / "deca_crop.npz")
    for number, landmarks in enumerate(data["kp"]):
        box = crop_box(landmarks)
        edges = [box.left, box.top, box.left + box.side, box.top + box.side]
        expected = data["bbox"][number][[0, 1, 2, 3]]
        assert np.abs(np.array(edges) - expected).max() <= 1e-6
        picture = data["img_u8"][number].astype(np.float32) / 255
        crop = face_crop(picture, box)
        assert np.abs(crop[:, ::4, ::4] - data["crop_sub"][number]).max() <= 2e-5
        camera = uncropped_camera(data["code"][number, 206:209], box)
        assert np.abs(camera - data["cam_uncropped"][number]).max() <= 3e-6
        pose = data["code"][number, 200:206].reshape(2, 3)
        assert np.abs(rotation_matrices(pose) - data["rot_mats"][number]).max() <= 1e-6


@pytest.mark.parametrize("roll", [0.0, 30.0, 75.0, -120.0, 179.0])
def test_the_aligned_face_stands_upright_however_it_was_turned(roll: float) -> None:
    upright, turned = face(3), face(3, roll)
    places = [align_landmarks(points, ffhq_theta(points, 256), 256) for points in (upright, turned)]
    assert np.abs(places[0] - places[1]).max() < 1e-9
    eyes = places[1][42:48].mean(0) - places[1][36:42].mean(0)
    assert abs(eyes[1]) < 0.35 * eyes[0]


def test_landmarks_move_with_the_picture() -> None:
    """A dot painted at a landmark is found at the aligned landmark."""
    points = face(1, 25)
    theta = ffhq_theta(points, 256)
    y, x = np.mgrid[:256, :256] + 0.5
    for number in (30, 50, 66):
        dot = np.exp(-((x - points[number, 0]) ** 2 + (y - points[number, 1]) ** 2) / 18)
        warped = aligned(dot[None].astype(np.float32), theta)[0]
        weight = warped / warped.sum()
        found = [(weight * x).sum(), (weight * y).sum()]
        assert np.abs(found - align_landmarks(points, theta, 256)[number]).max() < 0.05


def test_zoom_shows_more() -> None:
    points = face()
    theta = ffhq_theta(points, 256)
    near, far = (align_landmarks(points, theta, 256, zoom) - 128 for zoom in (1.0, 1.25))
    assert np.abs(near - 1.25 * far).max() < 1e-9


def test_uncropping_the_camera_keeps_every_point_in_its_place() -> None:
    """Points projected in the crop land at the same place of the whole picture."""
    rng = np.random.default_rng(2)
    points, camera = rng.normal(size=(20, 3)), np.array([7.3, 0.02, -0.05])
    box = CropBox(0.13, 0.22, 0.41)
    in_crop = project_weak_perspective(points, camera)[:, :2]
    expected = 2 * (np.array([box.left, box.top]) + box.side * (in_crop + 1) / 2) - 1
    found = project_weak_perspective(points, uncropped_camera(camera, box))[:, :2]
    assert np.abs(found - expected).max() < 1e-12


def test_sampling_is_torch_s_grid_sample() -> None:
    rng = np.random.default_rng(4)
    picture = rng.uniform(0, 1, (3, 7, 11)).astype(np.float32)
    places = rng.uniform(-1.4, 1.4, (40, 50, 2))
    expected = torch.nn.functional.grid_sample(
        torch.as_tensor(picture)[None].double(), torch.as_tensor(places)[None], align_corners=False
    )[0]
    assert np.abs(sample_ndc(picture, places) - expected.numpy()).max() < 1e-6


@pytest.mark.parametrize("function", [lambda p: ffhq_theta(p, 256), crop_box])
def test_landmarks_that_are_no_face_are_refused(function: object) -> None:
    broken = face()
    broken[5, 1] = np.nan
    for points in (face()[:67], broken, np.zeros((68, 2))):
        with pytest.raises(ValueError, match="landmarks"):
            function(points)  # type: ignore[operator]
