# SPDX-License-Identifier: Apache-2.0
"""Tests of the page that shows every photo beside its head.

Looks at no real photo.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from rome_backend.avatar.create import CreateOptions
from rome_backend.avatar.render import PAPER
from rome_backend.avatar.sheet import CAPTION, GAP
from rome_backend.bench import sheet as bench
from rome_backend.bench.dataset import DataPhoto, loose_photos
from rome_backend.bench.sheet import VIEWS, blind_sheet, strip
from rome_backend.core.errors import PhotoRefused, UsageError
from rome_backend.core.types import Avatar, HeadModel

CELLS = 1 + len(VIEWS)


@pytest.fixture
def bench_of_small_heads(
    monkeypatch: pytest.MonkeyPatch, small_avatar: Avatar, small_head: HeadModel
) -> None:
    def create(paths: list[Path], options: CreateOptions, tools: object) -> SimpleNamespace:
        if "bad" in paths[0].name:
            raise PhotoRefused("no_face", "No face.", "Use another photo.")
        return SimpleNamespace(avatar=small_avatar)

    monkeypatch.setattr(bench, "create_avatar", create)
    monkeypatch.setattr(bench, "load_tools", lambda head: SimpleNamespace(head=small_head))


def picture(folder: Path, name: str, colour: tuple[int, int, int] = (9, 200, 9)) -> DataPhoto:
    Image.new("RGB", (60, 80), colour).save(folder / name)
    return DataPhoto(folder / name, "?")


def cell_of(page: np.ndarray, row: int, column: int, cell: int) -> np.ndarray:
    top, left = GAP + row * (cell + CAPTION + GAP), GAP + column * (cell + GAP)
    return page[top : top + cell, left : left + cell]


def test_a_strip_is_the_photo_and_five_different_views(
    small_avatar: Avatar, small_head: HeadModel
) -> None:
    cells = strip(small_avatar, small_head, "somebody", 48)
    assert [title for title, _ in cells] == ["somebody", "front", "35", "60", "90", "back"]
    assert all(image.shape == (48, 48, 3) for _, image in cells)
    views = [image.astype(int) for _, image in cells[1:]]
    for one, other in zip(views, views[1:], strict=False):
        assert np.abs(one - other).mean() > 1


def test_every_photo_has_its_place_and_refused_ones_are_named(
    tmp_path: Path, bench_of_small_heads: None
) -> None:
    photos = [picture(tmp_path, name) for name in ("a.png", "bad.png", "c.png")]
    told: list[str] = []
    sheet = blind_sheet(photos, CreateOptions(), lambda name, share: told.append(name), 40)
    assert sheet.shown == ("a.png", "c.png")
    assert sheet.refused == (("bad.png", "no_face"),)
    assert told == ["a.png", "bad.png", "c.png"]
    assert sheet.page.shape[1] == GAP + 2 * CELLS * (40 + GAP)
    assert sheet.page.shape[0] == GAP + 2 * (40 + CAPTION + GAP)
    refused = cell_of(sheet.page, 0, CELLS, 40)
    assert tuple(refused[20, 20]) == (9, 200, 9)
    assert (cell_of(sheet.page, 0, CELLS + 1, 40) == PAPER).all()
    assert (cell_of(sheet.page, 1, 1, 40) != PAPER).any()


def test_a_file_that_is_no_picture_is_shown_as_paper(
    tmp_path: Path, bench_of_small_heads: None
) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    sheet = blind_sheet(
        [DataPhoto(tmp_path / "bad.jpg", "?")], CreateOptions(), lambda name, share: None, 40
    )
    assert (cell_of(sheet.page, 0, 0, 40) == PAPER).all()


def test_a_plain_folder_of_pictures_is_data_too(tmp_path: Path) -> None:
    picture(tmp_path, "b.png")
    picture(tmp_path, "a.JPG")
    (tmp_path / "notes.txt").write_text("no picture")
    assert [photo.path.name for photo in loose_photos(tmp_path)] == ["a.JPG", "b.png"]
    assert [photo.path.name for photo in loose_photos(tmp_path, only=["b"])] == ["b.png"]
    with pytest.raises(UsageError, match="zz"):
        loose_photos(tmp_path, only=["zz"])
    (tmp_path / "photos").mkdir()
    with pytest.raises(UsageError):
        loose_photos(tmp_path)


def test_a_folder_without_pictures_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        loose_photos(tmp_path)
