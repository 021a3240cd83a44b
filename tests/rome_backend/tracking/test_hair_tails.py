# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.hair_tails: drawn outlines, and photos of each kind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import open_head
from rome_backend.open_head.hair_chart import AZIMUTHS, ROW_M, ROWS, grid_azimuths, grid_ways
from rome_backend.open_head.scalp import build_scalp
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.tracking.crop import head_crop
from rome_backend.tracking.face_mesh import FaceTracker
from rome_backend.tracking.hair_mask import EAR, find_hair, seen_regions
from rome_backend.tracking.hair_measure import measure_hair
from rome_backend.tracking.hair_rays import HairSide, Seen
from rome_backend.tracking.hair_tails import tail_way, tied_reach, with_tail
from rome_backend.tracking.matte import PersonMatte
from rome_backend.tracking.matte_field import MatteField
from rome_backend.tracking.outline import SquareView
from rome_backend.tracking.photo import load_photo
from rome_backend.tracking.signed_fit import make_fitter

EARS, NAPE = (30, 47), 0.204
HEM = 48 * ROW_M


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return open_head()


def side(last: int = 75, **hair: tuple[int, int, float]) -> HairSide:
    """Hair from row to row so many m wide beside the head; covered ears."""
    hairy = np.zeros(ROWS)
    for first, end, width in hair.values():
        hairy[first:end] = width
    return HairSide(1, np.pi / 2, hairy, hairy, True, np.zeros(ROWS), last)


def found(own: HairSide, other: HairSide | None = None, cover: bool = False) -> float:
    return tail_way((own, other or own), (HEM, HEM), EARS, NAPE, cover)


def test_hair_that_is_seen_again_beside_the_neck_is_tied() -> None:
    tied = side(beside=(20, 48, 0.012), tail=(60, 74, 0.018))
    assert found(tied) == pytest.approx(NAPE + 0.12)
    assert found(side(beside=(20, 48, 0.012)), tied) > 0, "on one side is enough"


@pytest.mark.parametrize(
    ("what", "own"),
    [
        ("a bob", side(beside=(20, 48, 0.02))),
        ("without a gap", side(beside=(20, 74, 0.02))),
        ("a speck", side(beside=(20, 48, 0.012), tail=(60, 63, 0.018))),
        ("a shoulder", side(beside=(20, 48, 0.012), tail=(60, 74, 0.05))),
        ("below the photo", side(last=55, beside=(20, 48, 0.012), tail=(60, 74, 0.018))),
        ("free ears", replace(side(beside=(20, 40, 0.01), tail=(60, 74, 0.02)), covered=False)),
    ],
)
def test_other_hair_is_not_tied(what: str, own: HairSide) -> None:
    assert found(own) == 0.0, what


def test_long_hair_and_hair_on_one_side_are_not_tied() -> None:
    tied = side(beside=(20, 48, 0.012), tail=(60, 74, 0.018))
    assert tail_way((tied, tied), (HEM, 0.36), EARS, NAPE, False) == 0.0
    assert tail_way((tied, tied), (0.0, HEM), EARS, NAPE, False) == 0.0


def test_of_a_scarf_all_that_hangs_is_its_tail() -> None:
    plain = side(beside=(20, 48, 0.012))
    assert tail_way((plain, plain), (0.38, 0.21), EARS, NAPE, True) == 0.38
    assert found(plain, cover=True) == 0.0


def test_a_tail_hangs_behind_only() -> None:
    hem = with_tail(np.full(AZIMUTHS, HEM), 0.33)
    around = np.degrees(np.abs(grid_azimuths()))
    assert (hem[around < 125] == HEM).all() and hem[around > 150] == pytest.approx(0.33)
    assert (with_tail(np.full(AZIMUTHS, 0.4), 0.33) == 0.4).all(), "nothing is cut off"


@pytest.mark.parametrize("cover", [False, True])
def test_what_is_tied_lies_close(cover: bool) -> None:
    slim = np.full((AZIMUTHS, ROWS), 0.07)
    reach = tied_reach(slim + 0.1, slim, EARS[0], cover)
    low, behind = grid_ways() > 0.2, np.degrees(np.abs(grid_azimuths())) > 150
    beside = np.degrees(np.abs(grid_azimuths())) < 120
    assert (reach <= slim + 0.1).all() and (reach >= slim).all()
    assert (reach - slim)[np.ix_(behind, low)].max() < 0.07
    if cover:
        assert (reach - slim)[beside].max() < 0.02
    thin = slim + 0.004
    np.testing.assert_array_equal(tied_reach(thin, slim, EARS[0], cover), thin)


@pytest.mark.parametrize(
    ("start", "cover", "tail"),
    [
        ("p13", True, True),  # a blue scarf with a tail
        ("p21", False, True),  # hair tied behind the neck
        ("p10", False, False),  # waves to the jaw
        ("p14", False, False),  # long dark hair
    ],
)
def test_kinds_in_photos(
    data_dir: Path, head: HeadModel, start: str, cover: bool, tail: bool
) -> None:
    (path,) = (data_dir / "photos").glob(f"{start}*")
    photo = load_photo(path)
    crop = head_crop(photo, FaceTracker().track(photo.rgb)[0], PersonMatte(), max_size=512)
    fit = make_fitter(head).fit(crop.landmarks)
    view = SquareView(fit, len(crop.matte), 256)
    field = MatteField(crop.matte, crop.valid, 256)
    vertices = posed_vertices(head, fit.params)
    regions = seen_regions(head, vertices, view, TorchRasterizer())
    mask = find_hair(head, vertices, view, crop, field.person, regions)
    assert mask.cover == cover
    seen = Seen(field.person, mask.hair, field.known, regions == EAR, mask.cover)
    shape = measure_hair(build_scalp(head, vertices), view, seen)
    assert shape is not None and len(shape.curtains) == 2
    for curtain in shape.curtains:
        beside, behind = (
            np.interp(curtain.side * np.radians(angle), grid_azimuths(), curtain.hem)
            for angle in (95, 165)
        )
        assert (behind > beside + 0.1) == tail
