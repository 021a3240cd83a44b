# SPDX-License-Identifier: Apache-2.0
"""Invented people as the system sees them, and the strands that no mesh has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rome_backend.assets.store import cache_dir
from rome_backend.avatar.create import load_tools
from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import open_head
from training.batch import Sample, collate
from training.data.synthetic.person import LABELS, Person, PersonMaker
from training.data.synthetic.photograph import draw_shot, take_picture
from training.data.synthetic.reenacted import PICTURES, ReenactedMaker
from training.data.synthetic.strands import Strands, draw_strands
from training.evaluation.reenacted import evaluate_reenacted, mesh_picture
from training.layers import unpacked_layers

SIDE = 96


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return open_head(cache_dir() / "heads")


@pytest.fixture(scope="module")
def hairy(head: HeadModel) -> Person:
    maker = PersonMaker(head, 128)
    for seed in range(9):
        person = maker.draw(np.random.default_rng(seed))
        if np.linalg.norm(person.offsets[head.regions["hair"]], axis=1).max() > 0.02:
            return person
    raise AssertionError("nobody has hair")


@pytest.fixture(scope="module")
def strands(head: HeadModel, hairy: Person) -> Strands:
    return draw_strands(np.random.default_rng(2), head, hairy)


def test_strands_grow_on_hair_alone(head: HeadModel, hairy: Person, strands: Strands) -> None:
    assert len(strands.faces) > 100
    assert head.regions["hair"][strands.roots].all()
    assert strands.faces.min() >= 0 and strands.faces.max() < len(strands.roots)
    length = np.linalg.norm(strands.shifts, axis=1)
    assert 0.005 < length.max() < 0.1
    ends = strands.roots[strands.faces]
    assert (ends == ends[:, :1]).all()  # a face belongs to one strand's root
    same = draw_strands(np.random.default_rng(2), head, hairy)
    assert np.array_equal(same.shifts, strands.shifts)
    assert ((strands.uvs >= 0) & (strands.uvs <= 1)).all()


def test_the_bald_have_none(head: HeadModel, hairy: Person) -> None:
    bald = Person(hairy.shape, np.zeros_like(hairy.offsets), hairy.albedo, hairy.labels, 0.1)
    assert len(draw_strands(np.random.default_rng(2), head, bald).faces) == 0


def test_strands_stand_off_the_head_and_are_hair(
    head: HeadModel, hairy: Person, strands: Strands
) -> None:
    shot = draw_shot(np.random.default_rng(1), head, 5.0, 5.0)
    bare, strewn = (
        take_picture(np.random.default_rng(0), head, hairy, shot, SIDE, each)
        for each in (None, strands)
    )
    more = strewn.matte.astype(int) - bare.matte
    assert (more > 60).sum() > 20 and more.min() >= -2
    labelled = (strewn.labels == LABELS.index("hair")).sum()
    assert labelled > (bare.labels == LABELS.index("hair")).sum()


@pytest.fixture(scope="module")
def maker(tracker_models: Path) -> ReenactedMaker:
    return ReenactedMaker(load_tools(), SIDE, seed=5)


@pytest.fixture(scope="module")
def sample(maker: ReenactedMaker) -> Sample:
    return maker.make(PICTURES - 1)


def test_the_pipeline_s_mesh_lies_on_the_person(sample: Sample) -> None:
    """With its mistakes: near the truth, not on it."""
    _, alpha = mesh_picture(sample)
    matte, head = sample.target_matte / 255, sample.hair > 0
    both = np.minimum(alpha, matte)[head].sum() / np.maximum(alpha, matte)[head].sum()
    assert 0.65 < both < 0.999
    layers = unpacked_layers(collate([sample]).layers)
    assert layers.carried.shape == (1, 4, 2 * SIDE, 2 * SIDE)
    assert layers.guides[:, 0].mean() > 0.05


def test_the_photo_is_nearer_to_the_truth_than_the_mesh(
    maker: ReenactedMaker, sample: Sample
) -> None:
    from training.config import ModelSizes
    from training.make_trainee import make_trainee

    sizes = ModelSizes(side=SIDE, start="photo", light_base=4, light_levels=2)
    rules = make_trainee(sizes, maker.head)
    result, sheet = evaluate_reenacted(lambda number: sample, {"rules": rules}, 1)
    assert sheet.shape == (SIDE, 4 * SIDE, 3)
    mesh, photo = (result["mean"][name] for name in ("textured_mesh", "rules"))
    assert photo["psnr"] > mesh["psnr"] and photo["matte_mae"] < mesh["matte_mae"]
