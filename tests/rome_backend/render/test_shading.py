# SPDX-License-Identifier: Apache-2.0
"""Pictures: place, alpha, colour and light of what they show.

Does not test the rasterizer's choice of faces.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.camera import orbit, perspective
from rome_backend.render.shading import picture, view_axes


def sphere(rings: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A unit-diameter sphere with a longitude-latitude UV (u grows to the subject's left)."""
    theta = np.linspace(0, np.pi, rings)
    phi = np.linspace(-np.pi, np.pi, 2 * rings)
    t, p = np.meshgrid(theta, phi, indexing="ij")
    points = np.stack([np.sin(t) * np.sin(p), np.cos(t), np.sin(t) * np.cos(p)], -1) / 2
    uvs = np.stack([p / (2 * np.pi) + 0.5, 1 - t / np.pi], -1)
    a = np.arange(rings * 2 * rings).reshape(rings, -1)
    a, b, c, d = a[:-1, :-1].ravel(), a[1:, :-1].ravel(), a[1:, 1:].ravel(), a[:-1, 1:].ravel()
    faces = np.r_[np.stack([a, b, c], 1), np.stack([a, c, d], 1)].astype(np.int32)
    return points.reshape(-1, 3), faces, uvs.reshape(-1, 2).astype(np.float32)


VERTICES, FACES, UVS = sphere()


def draw(yaw: float = 0, size: tuple[int, int] = (64, 64), **options: object) -> np.ndarray:
    camera = orbit(np.zeros(3), 2.0, yaw, 0, 1.25, *size)
    return picture(VERTICES, FACES, UVS, FACES, camera, **options)


def test_clay_covers_the_disc_with_soft_edges() -> None:
    image = draw()
    alpha = image[..., 3].astype(float) / 255
    assert image.shape == (64, 64, 4)
    assert image.dtype == np.uint8
    radius = 0.5 / 1.25 * 64
    assert abs(alpha.sum() - np.pi * radius**2) < 0.02 * np.pi * radius**2
    assert ((alpha > 0) & (alpha < 1)).sum() > 40
    assert image[0, 0].tolist() == [0, 0, 0, 0]


def test_clay_is_lit_from_the_upper_left() -> None:
    image = draw().astype(float)
    assert image[22, 22, :3].mean() > image[42, 42, :3].mean() + 30
    assert image[32, 32, :3].mean() > 120


def test_edge_pixels_carry_straight_not_premultiplied_colour() -> None:
    white = np.full((len(VERTICES), 3), 200.0)
    image = draw(vertex_colours=white)
    shown = image[image[..., 3] > 0]
    assert np.all(np.abs(shown[:, :3].astype(int) - 200) <= 1)


def test_background_fills_and_blends() -> None:
    image = draw(vertex_colours=np.full((len(VERTICES), 3), 250.0), background=(10, 20, 30))
    assert np.all(image[..., 3] == 255)
    assert image[0, 0, :3].tolist() == [10, 20, 30]
    partial = draw()[..., 3]
    middle = image[(partial > 60) & (partial < 190), 0]
    assert len(middle)
    assert np.all((middle > 30) & (middle < 240))


def test_texture_shows_the_right_side_up_and_round() -> None:
    albedo = np.zeros((64, 64, 3), np.uint8)
    albedo[:32, :, 0] = 255  # upper half red
    albedo[:, 32:, 1] = 255  # subject's left half green
    image = draw(albedo=albedo)
    assert image[20, 24, :3].tolist() == [255, 0, 0]
    assert image[20, 40, :3].tolist() == [255, 255, 0]
    assert image[44, 24, :3].tolist() == [0, 0, 0]
    side = draw(yaw=90, albedo=albedo)
    assert side[44, 32, 1] == 255


def test_light_darkens_the_shaded_side_only_when_asked() -> None:
    flat = np.full((8, 8, 3), 180, np.uint8)
    unlit, lit = draw(albedo=flat), draw(albedo=flat, light=0.6)
    assert np.all(unlit[unlit[..., 3] > 0][:, :3] == 180)
    assert lit[46, 46, 0] < lit[22, 22, 0] - 10


def test_pictures_need_not_be_square() -> None:
    image = draw(size=(96, 48))
    covered = np.argwhere(image[..., 3] > 127)
    height, width = np.ptp(covered, axis=0) + 1
    assert image.shape == (48, 96, 4)
    assert abs(height - width) <= 1


def test_supersampling_keeps_the_picture_in_place() -> None:
    one, four = draw(supersample=1), draw(supersample=4)
    assert abs(int(one[32, 32, 0]) - int(four[32, 32, 0])) <= 2
    assert set(np.unique(one[..., 3])) == {0, 255}
    assert abs(one[..., 3].mean() - four[..., 3].mean()) < 2


def test_a_textured_picture_without_uvs_is_an_error() -> None:
    camera = orbit(np.zeros(3), 2.0, 0, 0, 1.25, 8, 8)
    with pytest.raises(ValueError, match="uvs"):
        picture(VERTICES, FACES, None, None, camera, albedo=np.zeros((4, 4, 3), np.uint8))


def test_view_axes_of_orthographic_and_perspective_cameras() -> None:
    yaw = np.radians(30)
    expected = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    assert np.allclose(view_axes(orbit(np.zeros(3), 1, 30, 0, 1, 8, 4)), expected)
    pinhole = perspective(50.0, expected, [0, 0, -2], 64, 48, centre=(20, 30))
    assert np.allclose(view_axes(pinhole), expected)
