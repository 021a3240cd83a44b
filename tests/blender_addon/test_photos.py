# SPDX-License-Identifier: GPL-3.0-or-later
"""The chosen photos: adding, removing, and the frame round the face."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.photos import FRAME, MOST, Choice, framed, is_photo


@pytest.fixture
def choice():
    found = Choice()
    found.add(["/a/1.jpg"])
    found.faces = np.array([[20, 40, 60, 120], [70, 10, 90, 30]], np.float32)
    found.size = (100, 200)
    found.picture = np.zeros((100, 50, 3), np.uint8)
    return found


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("a.jpg", True), ("A.JPEG", True), ("x.webp", True), ("a.blend", False), ("jpg", False)],
)
def test_photos_are_known_by_their_ending(name, wanted):
    assert is_photo(name) is wanted


def test_the_same_photo_is_added_once():
    choice = Choice()
    assert choice.add(["/a/1.jpg", "/a/2.png", "/a/1.jpg", "/a/b.txt"]) == 2
    assert choice.add(["/a/2.png"]) == 0
    assert choice.paths == ["/a/1.jpg", "/a/2.png"]


def test_there_is_a_limit():
    choice = Choice()
    assert choice.add(f"/a/{n}.jpg" for n in range(20)) == MOST == len(choice.paths)


def test_more_photos_keep_the_face_of_the_first(choice):
    choice.add(["/a/2.jpg"])
    assert choice.picture is not None


def test_removing_the_first_photo_forgets_its_face(choice):
    choice.add(["/a/2.jpg"])
    choice.remove(1)
    assert choice.picture is not None
    choice.remove(0)
    assert choice.picture is None and choice.faces is None and choice.paths == []
    with pytest.raises(IndexError):
        choice.remove(0)


def test_the_frame_is_where_the_face_is(choice):
    """The picture has half the photo's size: the first face lies in rows 20..60, columns 10..30."""
    picture = framed(choice, 0)[::-1, :, :3] * 255
    orange = np.all(np.isclose(picture, FRAME), axis=-1)
    rows, columns = np.flatnonzero(orange.any(1)), np.flatnonzero(orange.any(0))
    assert (rows.min(), rows.max()) == (20, 60) and (columns.min(), columns.max()) == (10, 30)
    assert not orange[30:50, 15:25].any()


def test_another_face_can_be_framed(choice):
    orange = np.all(np.isclose(framed(choice, 1)[::-1, :, :3] * 255, FRAME), axis=-1)
    assert np.flatnonzero(orange.any(0)).min() == 35


def test_a_face_that_is_not_there_is_not_framed(choice):
    assert not framed(choice, 7)[..., :3].any()
    choice.faces = None
    assert not framed(choice, 0)[..., :3].any()


def test_without_a_picture_there_is_none():
    assert framed(Choice(), 0) is None


def test_a_face_beyond_the_edge_is_framed_inside(choice):
    choice.faces = np.array([[-50, -50, 500, 500]], np.float32)
    orange = np.all(np.isclose(framed(choice, 0)[::-1, :, :3] * 255, FRAME), axis=-1)
    assert orange[0].all() and orange[-1].all() and orange[:, 0].all() and orange[:, -1].all()


def test_the_picture_itself_is_not_painted_on(choice):
    framed(choice, 0)
    assert not choice.picture.any()
