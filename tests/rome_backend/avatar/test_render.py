# SPDX-License-Identifier: Apache-2.0
"""Tests of an avatar's pictures: framing, turning, expressions, and the contact sheet.

Does not judge pixels: that is the rasterizer's test.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.avatar import render, sheet
from rome_backend.avatar.animate import avatar_vertices
from rome_backend.avatar.render import (
    Expression,
    avatar_picture,
    camera_round,
    expression_pictures,
    expressions_of,
    face_camera,
)
from rome_backend.core.camera import project
from rome_backend.core.types import Avatar, HeadModel

FACES = (Expression("rest"), Expression("smile", {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0}))


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (35, 0), (90, 0), (180, 0), (40, 30)])
def test_the_whole_head_is_in_the_picture_from_every_side(
    small_avatar: Avatar, small_head: HeadModel, yaw: float, pitch: float
) -> None:
    vertices = avatar_vertices(small_avatar, small_head)
    points = project(camera_round(vertices, yaw, pitch, 200), vertices)
    assert points[:, :2].min() > 0 and points[:, :2].max() < 200
    assert np.abs(points[:, 2]).max() < 1


def test_positive_yaw_shows_the_left_side(small_avatar: Avatar, small_head: HeadModel) -> None:
    vertices = avatar_vertices(small_avatar, small_head)
    points = project(camera_round(vertices, 90.0, 0.0, 200), vertices)
    left, right = vertices[:, 0].argmax(), vertices[:, 0].argmin()
    assert points[left, 2] < points[right, 2]


def test_clay_and_texture_share_a_silhouette(
    small_avatar: Avatar, small_head: HeadModel
) -> None:
    camera = camera_round(avatar_vertices(small_avatar, small_head), 20.0, 0.0, 64)
    clay = avatar_picture(small_avatar, small_head, camera, clay=True, background=None)
    skin = avatar_picture(small_avatar, small_head, camera, background=None)
    np.testing.assert_array_equal(clay[..., 3], skin[..., 3])
    assert 0.2 < (clay[..., 3] > 0).mean() < 0.9
    assert (clay[..., :3] != skin[..., :3]).any()


def test_a_camera_round_the_head_goes_round_once(
    small_avatar: Avatar, small_head: HeadModel
) -> None:
    vertices = avatar_vertices(small_avatar, small_head)
    pictures = [
        avatar_picture(small_avatar, small_head, camera_round(vertices, yaw, 0.0, 48))
        for yaw in (0.0, 90.0, 180.0, 270.0, 360.0)
    ]
    assert all(picture.shape == (48, 48, 4) for picture in pictures)
    assert all((picture != pictures[0]).any() for picture in pictures[1:4])
    np.testing.assert_array_equal(pictures[4], pictures[0])


def test_a_head_with_components_shows_some_of_them(small_head: HeadModel) -> None:
    names = tuple(f"Exp{n + 1}" for n in range(len(small_head.expression_names)))
    shown = expressions_of(replace(small_head, expression_names=names))
    assert shown[0].jaw_deg > 0
    assert [list(face.values) for face in shown[1:]] == [[name] for name in names[:4]]


def test_expressions_change_the_picture_but_not_the_camera(
    small_avatar: Avatar, small_head: HeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "EXPRESSIONS", FACES)
    rest, smile = expression_pictures(small_avatar, small_head, 48)
    camera = face_camera(small_avatar, small_head, 0.0, 48)
    np.testing.assert_array_equal(rest, avatar_picture(small_avatar, small_head, camera))
    assert (rest != smile).any()


def test_every_expression_of_the_sheet_exists_in_arkit() -> None:
    from rome_backend.open_head.expressions import ARKIT_NAMES

    for face in render.EXPRESSIONS:
        assert set(face.values) <= set(ARKIT_NAMES)


def test_the_landmarks_are_drawn_where_they_were_seen(small_avatar: Avatar) -> None:
    point = np.zeros((478, 3), np.float32)
    point[:, :2] = (16.5, 48.5)  # all in one place: the whole crop is shown
    grey = np.full((64, 64, 3), 90, np.uint8)
    avatar = replace(small_avatar, source_crop=grey, source_landmarks=point)
    overlay = sheet.landmark_overlay(avatar, 128)
    rows, columns = np.nonzero((overlay != 90).any(-1))
    assert abs(rows.mean() + 0.5 - 97) < 0.6 and abs(columns.mean() + 0.5 - 33) < 0.6


def test_the_photo_is_shown_round_the_face(small_avatar: Avatar) -> None:
    points = np.zeros((478, 3), np.float32)
    points[0, :2], points[1:, :2] = (20, 30), (30, 42)
    crop = np.zeros((64, 64, 3), np.uint8)
    crop[30:42, 20:30] = 255
    avatar = replace(small_avatar, source_crop=crop, source_landmarks=points)
    rows, columns = np.nonzero(sheet.photo_of(avatar, 230)[..., 0] > 127)
    assert np.ptp(rows) == pytest.approx(100, abs=3)
    assert columns.mean() == pytest.approx(115, abs=3)
    assert rows.mean() == pytest.approx(sheet.RAISED * 230, abs=3)


def test_the_sheet_has_three_rows_of_pictures(
    small_avatar: Avatar, small_head: HeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "EXPRESSIONS", FACES)
    image = sheet.contact_sheet(small_avatar, small_head, cell=40)
    step = 40 + sheet.CAPTION + sheet.GAP
    assert image.shape == (sheet.GAP + 3 * step, sheet.GAP + 5 * (40 + sheet.GAP), 3)
    for row in range(3):
        band = image[sheet.GAP + row * step :][:40]
        assert (band != sheet.PAPER).any()
