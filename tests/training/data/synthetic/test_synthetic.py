# SPDX-License-Identifier: Apache-2.0
"""Invented people: repeatable, different, and true to what is said of them."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.assets.store import cache_dir
from rome_backend.avatar.driven_pose import canonical_head, project_head
from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import open_head
from rome_backend.render.rasterizer import TorchRasterizer
from training.__main__ import main
from training.batch import collate
from training.data.shards import ShardSet
from training.data.synthetic.noise import smooth_field, smooth_picture, smooth_step
from training.data.synthetic.person import LABELS
from training.data.synthetic.photograph import draw_expression
from training.data.synthetic.sequence import Sequence, SequenceMaker

SIDE = 64


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return open_head(cache_dir() / "heads")


@pytest.fixture(scope="module")
def maker(head: HeadModel) -> SequenceMaker:
    return SequenceMaker(head, SIDE, seed=4)


@pytest.fixture(scope="module")
def made(maker: SequenceMaker) -> list[Sequence]:
    return [maker.make(number) for number in range(4)]


def test_the_same_number_gives_the_same_sequence_in_any_order(
    head: HeadModel, made: list[Sequence]
) -> None:
    again = SequenceMaker(head, SIDE, seed=4).make(2)
    assert np.array_equal(again.labels, made[2].labels)
    for field in fields(again.sample):
        first, second = getattr(again.sample, field.name), getattr(made[2].sample, field.name)
        assert np.array_equal(first, second), field.name


def test_people_differ_and_so_do_seeds(head: HeadModel, made: list[Sequence]) -> None:
    other = SequenceMaker(head, SIDE, seed=5).make(2)
    for one, two in ((made[0], made[1]), (made[2], other)):
        assert not np.array_equal(one.sample.shape, two.sample.shape)
        assert np.abs(one.sample.target.astype(int) - two.sample.target).mean() > 10
        assert not np.array_equal(one.sample.offsets, two.sample.offsets)


def test_masks_nest_and_say_what_the_labels_say(made: list[Sequence]) -> None:
    for each in made:
        sample = each.sample
        hair, whole = sample.hair > 0, sample.whole > 0
        assert (whole | ~hair).all() and 0.1 < hair.mean() < whole.mean() < 0.95
        named = np.isin(each.labels, [LABELS.index(name) for name in ("face", "ears", "hair")])
        assert np.array_equal(named, hair) and np.array_equal(each.labels > 0, whole)
        assert np.abs((sample.target_matte > 127).astype(int) - whole).mean() < 0.03
        assert {LABELS.index("face"), LABELS.index("neck")} <= set(np.unique(each.labels))


def test_parameters_and_offsets_put_the_mesh_where_the_picture_shows_it(
    head: HeadModel, made: list[Sequence]
) -> None:
    """The system's own pose and projection, with the true offsets, cover the true mask."""
    for each in made:
        batch = collate([each.sample])
        canonical = canonical_head(head, batch.pose)
        vertices = canonical.vertices + batch.offsets
        projected = project_head(vertices, canonical.root, batch.pose)
        faces = torch.as_tensor(np.array(head.faces, np.int64))
        found = TorchRasterizer().rasterize(projected, faces, SIDE, SIDE).covered()[0].numpy()
        wanted = each.sample.target_matte > 127
        assert (found & wanted).sum() / (found | wanted).sum() > 0.97


def test_landmarks_lie_on_the_face(made: list[Sequence]) -> None:
    for each in made:
        place = ((each.sample.landmarks[17:] + 1) / 2 * SIDE).astype(int)
        inside = ((place >= 0) & (place < SIDE)).all(1)
        labels = each.labels[place[inside, 1], place[inside, 0]]
        assert inside.mean() > 0.9 and np.isin(labels, (1, 2, 5)).mean() > 0.9


def test_the_source_is_aligned_and_shows_the_same_person(made: list[Sequence]) -> None:
    for each in made:
        source = each.sample.source.astype(float)
        middle = each.sample.source_matte[SIDE // 3 : 2 * SIDE // 3, SIDE // 3 : 2 * SIDE // 3]
        assert middle.mean() > 250
        face = each.labels == LABELS.index("face")
        skin = np.median(each.sample.target[face], axis=0).astype(float)
        nose = np.median(source[28:36, 28:36].reshape(-1, 3), axis=0)
        assert np.corrcoef(skin, nose)[0, 1] > 0.5 or np.abs(skin - nose).mean() < 40


def test_expressions_are_even_and_in_range(head: HeadModel) -> None:
    random = np.random.default_rng(0)
    drawn = np.stack([draw_expression(random, head) for _ in range(200)])
    names = head.expression_names
    assert 0 <= drawn.min() and drawn.max() <= 1 and (drawn > 0).any(0).sum() > 45
    assert drawn[:, names.index("tongueOut")].max() == 0
    both = drawn[:, [names.index(f"mouthSmile{side}") for side in ("Left", "Right")]]
    assert (both[:, 0] > 0).sum() > 5 and np.corrcoef(both.T)[0, 1] > 0.9


def test_fields_have_their_size_and_wavelength() -> None:
    random = np.random.default_rng(1)
    points = random.uniform(0, 0.2, (4000, 3)).astype(np.float32)
    field = smooth_field(random, points, 0.02)
    assert abs(field.mean()) < 0.2 and 0.7 < field.std() < 1.3
    random = np.random.default_rng(2)
    near = np.stack([smooth_field(np.random.default_rng(3), points + d, 0.02) for d in (0, 0.001)])
    assert np.corrcoef(near)[0, 1] > 0.9
    picture = smooth_picture(random, 16, 3)
    assert picture.shape == (16, 16, 3) and 0 <= picture.min() and picture.max() <= 1
    assert smooth_step(np.array([0.0, 0.5, 1.0], np.float32), 0, 1).tolist() == [0, 0.5, 1]


def test_the_command_writes_shards_and_says_what_it_did(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], made: list[Sequence]
) -> None:
    call = ["synthesize", "-n", "2", "-o", str(tmp_path), "--side", str(SIDE), "--seed", "4"]
    assert main([*call, "--json", "--quiet"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert result["samples"] == result["made"] == 2 and result["samples_per_second"] > 0
    shards = ShardSet(tmp_path)
    assert np.array_equal(shards.sample(1).target, made[1].sample.target)
    assert np.array_equal(shards.stored(1).extra["labels"], made[1].labels)
    assert main([*call, "--json", "--quiet"]) == 0
    assert json.loads(capfd.readouterr().out)["made"] == 0
    assert main([*call[:-1], "5", "--json", "--quiet"]) == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "shards_differ"


@pytest.mark.parametrize("wrong", [["-n", "0"], ["--side", "63"], ["--seed", "-1"]])
def test_nonsense_is_a_usage_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], wrong: list[str]
) -> None:
    assert main(["synthesize", "-n", "1", "-o", str(tmp_path / "new"), *wrong, "--json"]) == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "usage"
    assert not (tmp_path / "new").exists()
