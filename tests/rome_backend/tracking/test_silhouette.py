# SPDX-License-Identifier: Apache-2.0
"""Offsets follow the outline of synthetic mattes. Does not know photos or basis makers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.rotations import matrix_from_yaw_pitch_roll
from rome_backend.core.types import (
    F64,
    FaceFit,
    FlameParams,
    HeadCrop,
    HeadModel,
    LandmarkTable,
    OffsetBasis,
)
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.tracking.outline import SquareView
from rome_backend.tracking.silhouette import fit_offsets, silhouette_iou

SIZE, SCALE = 256, 700.0
RADIUS = 0.1


def _sphere(rows: int = 28, columns: int = 48) -> tuple[F64, np.ndarray]:
    """A closed sphere, counter-clockwise from outside, poles up and down."""
    polar = np.linspace(0, np.pi, rows + 1)[1:-1]
    around = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    ring = np.stack([np.sin(around), np.zeros(columns), np.cos(around)], 1)
    body = np.sin(polar)[:, None, None] * ring + np.cos(polar)[:, None, None] * [0, 1, 0]
    points = RADIUS * np.concatenate([body.reshape(-1, 3), [[0, 1, 0], [0, -1, 0]]])
    faces, nxt = [], (np.arange(columns) + 1) % columns
    for row in range(rows - 2):
        a, b = row * columns + np.arange(columns), row * columns + nxt
        c, d = a + columns, b + columns
        faces += [np.stack([a, c, b], 1), np.stack([b, c, d], 1)]
    top, bottom, last = len(points) - 2, len(points) - 1, (rows - 2) * columns
    faces.append(np.stack([np.full(columns, top), np.arange(columns), nxt], 1))
    faces.append(np.stack([np.full(columns, bottom), last + nxt, last + np.arange(columns)], 1))
    return points, np.concatenate(faces).astype(np.int32)


@pytest.fixture(scope="module")
def ball() -> HeadModel:
    """A ball whose upper half is hair and whose lowest part is neck."""
    points, faces = _sphere()
    count = len(points)
    hair, neck = points[:, 1] > 0.005, points[:, 1] < -0.06
    weights = np.zeros((count, 5), np.float32)
    weights[:, 1] = 1
    weights[(points[:, 1] < 0) & ~neck] = np.eye(5, dtype=np.float32)[2]
    return HeadModel(
        name="ball",
        topology_id="ball",
        licence="",
        source="",
        template=points.astype(np.float32),
        faces=faces,
        uvs=np.zeros((count, 2), np.float32),
        uv_faces=faces,
        shape_dirs=np.zeros((count, 3, 1), np.float32),
        expression_dirs=np.zeros((count, 3, 1), np.float32),
        expression_names=("smile",),
        pose_dirs=np.zeros((count, 3, 36), np.float32),
        joint_regressor=np.full((5, count), 1 / count, np.float32),
        weights=weights,
        parents=np.array([-1, 0, 1, 1, 1], np.int32),
        regions={"hair": hair, "neck": neck},
        landmarks=LandmarkTable(
            np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros((0, 3), np.float32)
        ),
    )


@pytest.fixture(scope="module")
def basis(ball: HeadModel) -> OffsetBasis:
    """Hair thickness and hair leaning sideways, each 1 cm at the crown; 58 empty directions."""
    points = ball.template.astype(np.float64)
    fade = np.clip(points[:, 1] / 0.03, 0, 1) * ball.regions["hair"]
    dirs = np.zeros((len(points), 3, 60), np.float32)
    dirs[:, :, 0] = 0.01 * fade[:, None] * points / RADIUS
    dirs[:, 0, 1] = 0.01 * fade * points[:, 1] / RADIUS
    mean = np.float32(0.5) * dirs[:, :, 0]
    return OffsetBasis(mean, dirs, tuple(f"K{k:02d}" for k in range(60)))


def face_fit(yaw: float = 0.0) -> FaceFit:
    params = FlameParams(shape=np.zeros(1), expression=np.zeros(1))
    rotation = matrix_from_yaw_pitch_roll(yaw, 0.0, 0.0)
    middle = np.array([SIZE / 2, SIZE / 2])
    return FaceFit(params, SCALE, rotation, middle, yaw, 0.0, 0.0, 0.0)


def photo_of(head: HeadModel, offsets: F64, fit: FaceFit) -> HeadCrop:
    """A crop whose matte is the head's own silhouette with some offsets."""
    view = SquareView(fit, SIZE, SIZE)
    mask = view.silhouette(head.template + offsets, head.faces, TorchRasterizer())
    empty = np.zeros((SIZE, SIZE, 3), np.uint8)
    marks = np.zeros((478, 3), np.float32)
    return HeadCrop(empty, mask.astype(np.float32), mask | True, np.eye(3)[:2], marks)


@pytest.mark.parametrize("yaw", [0.0, 30.0])
def test_coefficients_say_how_thick_hair_is(
    ball: HeadModel, basis: OffsetBasis, yaw: float
) -> None:
    fit = face_fit(yaw)
    found = []
    for thickness in (0.5, 1.5, 2.5):
        truth = basis.mean + basis.dirs[:, :, 0] * np.float32(thickness)
        fitted = fit_offsets(ball, basis, fit, photo_of(ball, truth, fit))
        assert fitted.iou > 0.97
        found.append(fitted.coefficients[0])
    assert np.diff(found).min() > 0.5
    assert found[-1] == pytest.approx(2.0, abs=1.0)


def test_the_parts_add_up_and_are_bounded(ball: HeadModel, basis: OffsetBasis) -> None:
    huge = ball.template * np.float32(0.6) * ball.regions["hair"][:, None]
    fit = face_fit()
    found = fit_offsets(ball, basis, fit, photo_of(ball, huge, fit))
    total = basis.mean + basis.dirs @ found.coefficients + found.free
    assert found.offsets == pytest.approx(total, abs=1e-6)
    assert np.abs(found.coefficients).max() <= 3.0
    assert found.coefficients.shape == (60,) and found.coefficients.dtype == np.float32


def test_free_offsets_take_what_the_basis_cannot_say(ball: HeadModel, basis: OffsetBasis) -> None:
    bun = np.exp(-np.sum((ball.template - [0.05, 0.085, 0.0]) ** 2, axis=1) / (2 * 0.03**2))
    offsets = 0.02 * bun[:, None] * ball.template / RADIUS * ball.regions["hair"][:, None]
    fit = face_fit()
    crop = photo_of(ball, basis.mean + offsets, fit)
    found = fit_offsets(ball, basis, fit, crop)
    linear = basis.mean + basis.dirs @ found.coefficients
    assert found.iou > silhouette_iou(ball, fit, crop, linear)
    assert found.iou > 0.975
    grown = np.linalg.norm(found.free, axis=1)
    assert grown[bun > 0.8].mean() > 1.4 * grown[bun < 0.1].mean()


def test_only_hair_and_neck_move_and_never_in_spikes(ball: HeadModel, basis: OffsetBasis) -> None:
    rng = np.random.default_rng(0)
    fit = face_fit()
    crop = photo_of(ball, 1.0 * basis.mean, fit)
    noisy = np.clip(crop.matte + rng.normal(0, 0.35, crop.matte.shape), 0, 1).astype(np.float32)
    found = fit_offsets(ball, basis, fit, replace(crop, matte=noisy))
    still = ~(ball.regions["hair"] | ball.regions["neck"])
    assert not found.free[still].any()
    edges = np.concatenate([ball.faces[:, [0, 1]], ball.faces[:, [1, 2]]])
    steps = np.linalg.norm(found.free[edges[:, 0]] - found.free[edges[:, 1]], axis=1)
    assert steps.max() < 0.004


def test_bald_stays_bald_and_the_skull_is_not_pressed_in(
    ball: HeadModel, basis: OffsetBasis
) -> None:
    fit = face_fit()
    hair = ball.regions["hair"]
    bald = fit_offsets(ball, basis, fit, photo_of(ball, 0 * basis.mean, fit))
    outward = np.einsum("vx,vx->v", bald.offsets, ball.template / RADIUS)[hair]
    assert np.abs(np.median(outward)) < 0.002
    dented = ball.template * np.float32(-0.4) * hair[:, None]
    pressed = fit_offsets(ball, basis, fit, photo_of(ball, dented, fit))
    assert np.einsum("vx,vx->v", pressed.offsets, ball.template / RADIUS).min() > -0.011


def test_a_skull_before_a_near_camera_keeps_its_size(ball: HeadModel, basis: OffsetBasis) -> None:
    near, hair = replace(face_fit(), distance=0.5), ball.regions["hair"]
    crop = photo_of(ball, 0 * basis.mean, near)
    # seen from afar with the face's scale, the skull behind it looks too small
    afar = replace(face_fit(), scale=near.scale / (1 - 0.06 / near.distance))
    sizes = []
    for fit in (near, afar):
        found = fit_offsets(ball, basis, fit, crop).offsets
        sizes.append(float(np.median(np.einsum("vx,vx->v", found, ball.template / RADIUS)[hair])))
    assert abs(sizes[0]) < 0.002 and sizes[1] < sizes[0] - 0.002


def test_the_unknown_teaches_nothing(ball: HeadModel, basis: OffsetBasis) -> None:
    fit = face_fit()
    crop = photo_of(ball, basis.mean + 2 * basis.dirs[:, :, 0], fit)
    blind = replace(crop, valid=np.zeros_like(crop.valid))
    found = fit_offsets(ball, basis, fit, blind)
    assert not found.coefficients.any() and not found.free.any()
    assert found.iou == 0.0


def test_fits_are_repeatable(ball: HeadModel, basis: OffsetBasis) -> None:
    fit = face_fit(10.0)
    crop = photo_of(ball, basis.mean + basis.dirs[:, :, 1], fit)
    one, two = (fit_offsets(ball, basis, fit, crop) for _ in range(2))
    assert np.array_equal(one.offsets, two.offsets)
    assert one.iou == two.iou


def test_iou_is_one_for_itself_and_counts_nothing_below_the_shoulders(
    ball: HeadModel, basis: OffsetBasis
) -> None:
    fit = face_fit()
    crop = photo_of(ball, 0 * basis.mean, fit)
    assert silhouette_iou(ball, fit, crop) == 1.0
    body = crop.matte.copy()
    # the jaw ends 6 cm below the middle, the shoulders begin 3 cm further down
    body[int(SIZE / 2 + 0.092 * SCALE) :] = 1.0
    assert silhouette_iou(ball, fit, replace(crop, matte=body)) == 1.0
    taller = silhouette_iou(ball, fit, crop, 2.0 * basis.dirs[:, :, 0])
    assert 0.7 < taller < 0.95


def test_iou_does_not_depend_on_the_crops_resolution(ball: HeadModel, basis: OffsetBasis) -> None:
    fit = face_fit()
    crop = photo_of(ball, basis.mean, fit)
    small = silhouette_iou(ball, fit, crop)
    big_fit = replace(fit, scale=2 * fit.scale, translation=2 * fit.translation)
    big = HeadCrop(
        np.zeros((2 * SIZE, 2 * SIZE, 3), np.uint8),
        np.kron(crop.matte, np.ones((2, 2), np.float32)),
        np.ones((2 * SIZE, 2 * SIZE), bool),
        np.eye(3)[:2],
        crop.landmarks,
    )
    assert silhouette_iou(ball, big_fit, big) == pytest.approx(small, abs=0.003)
