# SPDX-License-Identifier: Apache-2.0
"""What an invented person is painted with, and how a shot lights and places it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.assets.store import cache_dir
from rome_backend.core.camera import project
from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import open_head
from rome_backend.texture.atlas import Atlas, atlas_of
from rome_backend.texture.palette import region_texels
from training.data.synthetic.person import LABELS, Person, PersonMaker
from training.data.synthetic.photograph import Shot, draw_shot, take_picture
from training.data.synthetic.skin import brow_share, draw_skin, eye_colours, skin_colours

SIDE = 64


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return open_head(cache_dir() / "heads")


@pytest.fixture(scope="module")
def atlas(head: HeadModel) -> Atlas:
    return atlas_of(head, 128)


@pytest.fixture(scope="module")
def person(head: HeadModel) -> Person:
    return PersonMaker(head, 128).draw(np.random.default_rng(3))


@pytest.fixture
def shot(head: HeadModel) -> Shot:
    """Straight on, neutral, lit from the front, in front of black, without noise."""
    drawn = draw_shot(np.random.default_rng(1), head, 10.0, 6.0)
    light = (np.array([[0.0, 0.0, 1.0]]), np.array([[0.6, 0.6, 0.6]]))
    return replace(
        drawn,
        expression=np.zeros_like(drawn.expression),
        jaw=np.zeros(3),
        rotation=np.zeros(3),
        eyes=np.zeros((2, 3)),
        lights=light,
        ambient=np.full(3, 0.3),
        background=np.zeros((8, 8, 3), np.float32),
        noise=0.0,
    )


def taken(head: HeadModel, person: Person, shot: Shot) -> np.ndarray:
    picture = take_picture(np.random.default_rng(0), head, person, shot, SIDE)
    return picture.rgb.astype(float)


def test_skins_span_dark_to_fair_and_are_colours() -> None:
    drawn = [draw_skin(np.random.default_rng(seed)) for seed in range(60)]
    brightness = [skin.tone.mean() for skin in drawn]
    assert min(brightness) < 70 and max(brightness) > 180
    for skin in drawn:
        assert (skin.tone > 0).all() and (skin.tone < 256).all()
        assert skin.tone[0] > skin.tone[2]  # no skin is blue
        assert 0 <= skin.stubble <= 1 and 0 <= skin.spots <= 1 and 0.2 < skin.pupil < 0.6


def test_brows_lie_over_the_eyes_on_both_sides(head: HeadModel, atlas: Atlas) -> None:
    points = atlas.spread(head.template)
    share = brow_share(np.random.default_rng(0), head, points)
    brow = points[share > 0.5]
    eyes = [head.template[head.regions[f"{side}_eyeball"]].mean(0) for side in ("left", "right")]
    assert (brow[:, 1] > eyes[0][1]).all() and np.ptp(brow[:, 1]) < 0.03
    for eye in eyes:
        assert (np.abs(brow[:, 0] - eye[0]) < 0.03).sum() > 10
    assert share[points[:, 2] < -0.05].max(initial=0) == 0


def test_lips_differ_from_the_skin_round_them(head: HeadModel, atlas: Atlas) -> None:
    random, regions = np.random.default_rng(5), region_texels(head, atlas)
    skin = replace(draw_skin(random), lips=np.array([1.0, 0.6, 0.6]), stubble=0.0)
    colour = skin_colours(random, skin, head, atlas, regions, np.array([20.0, 15, 15]))
    lips, face = regions["lips"] > 0.9, (regions["face"] > 0.9) & (regions["lips"] < 0.1)
    redness = [(colour[where, 0] / colour[where, 1]).mean() for where in (lips, face)]
    assert redness[0] > 1.3 * redness[1]


def test_eyes_are_dark_in_the_middle_then_coloured_then_white(
    head: HeadModel, atlas: Atlas
) -> None:
    random = np.random.default_rng(2)
    skin = replace(draw_skin(random), iris=np.array([90.0, 60.0, 40.0]))
    colour, texels = eye_colours(random, skin, head, atlas, "left_eyeball")
    mask = head.regions["left_eyeball"]
    middle = (head.template[mask].min(0) + head.template[mask].max(0)) / 2
    away = atlas.spread(head.template)[texels] - middle
    side = np.where(away[:, 2] > 0, np.hypot(away[:, 0], away[:, 1]), 1.0)
    pupil, iris, white = (
        colour[(side > low) & (side < high)].mean()
        for low, high in ((0, 0.001), (0.0032, 0.0048), (0.0075, 0.01))
    )
    assert pupil < 0.5 * iris and iris < 0.9 * white


def test_labels_follow_the_regions(head: HeadModel, person: Person) -> None:
    atlas = atlas_of(head, 128)
    regions = region_texels(head, atlas)
    labels = person.labels.reshape(-1)[atlas.texel]
    assert set(np.unique(labels)) <= set(range(1, len(LABELS)))
    cloth = labels == LABELS.index("cloth")
    assert cloth.any() and (regions["neck"][cloth] > 0.4).all()
    assert np.isin(labels[regions["lips"] > 0.9], (LABELS.index("face"),)).all()


def test_offsets_stay_in_their_regions(head: HeadModel, person: Person) -> None:
    free = ~(head.regions["hair"] | head.regions["neck"])
    assert np.abs(person.offsets[free]).max() == 0 < np.abs(person.offsets).max()


def test_a_brighter_light_makes_a_brighter_picture(
    head: HeadModel, person: Person, shot: Shot
) -> None:
    dim = replace(shot, ambient=shot.ambient / 4, lights=(shot.lights[0], shot.lights[1] / 4))
    assert taken(head, person, dim).mean() < 0.75 * taken(head, person, shot).mean()


def test_light_from_the_subject_s_left_brightens_that_side(
    head: HeadModel, person: Person, shot: Shot
) -> None:
    """Seen from the front, the subject's left is the picture's right."""
    aside = replace(shot, lights=(np.array([[1.0, 0.0, 0.0]]), shot.lights[1]))
    rgb = taken(head, person, aside)
    row, middle = SIDE // 2, SIDE // 2
    left, right = rgb[row - 4 : row + 4, middle - 12 : middle], rgb[row - 4 : row + 4, middle:]
    assert right[:, :12].mean() > left.mean() + 3


def test_the_camera_of_a_picture_places_what_was_photographed(
    head: HeadModel, person: Person, shot: Shot
) -> None:
    turned = replace(shot, rotation=np.array([0.1, 0.4, 0.05]))
    picture = take_picture(np.random.default_rng(0), head, person, turned, SIDE)
    places = project(picture.camera, picture.vertices)[:, :2]
    inside = (places > 0).all(1) & (places < SIDE - 1).all(1)
    seen = picture.matte[places[inside, 1].astype(int), places[inside, 0].astype(int)]
    assert inside.mean() > 0.5 and (seen > 100).mean() > 0.97


def test_noise_is_what_the_shot_says(head: HeadModel, person: Person, shot: Shot) -> None:
    grain = taken(head, person, replace(shot, noise=4.0)) - taken(head, person, shot)
    middle = grain[24:40, 24:40]
    assert 3 < middle.std() < 5 and abs(middle.mean()) < 1
