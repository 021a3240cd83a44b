# SPDX-License-Identifier: Apache-2.0
"""Invented people as a test set: the textured mesh in the true pose is a strong baseline."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rome_backend.assets.store import cache_dir
from rome_backend.core.camera import project
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.landmarks_68 import landmarks_68_of
from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import open_head
from training.__main__ import main
from training.data.synthetic.sequence import Sequence, SequenceMaker, with_texture
from training.evaluation.scores import score
from training.evaluation.synthetic import texture_side, textured_mesh

SIDE = 64


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return open_head(cache_dir() / "heads")


@pytest.fixture(scope="module")
def sequence(head: HeadModel) -> Sequence:
    return SequenceMaker(head, SIDE, seed=4).make(1)


def test_the_source_s_view_is_that_of_the_aligned_picture(
    head: HeadModel, sequence: Sequence
) -> None:
    """The mesh seen by the stored camera covers the source's matte."""
    view = sequence.source_view
    places = project(view.camera, view.vertices)[:, :2].astype(int)
    inside = ((places >= 0) & (places < SIDE)).all(1)
    values = sequence.sample.source_matte[places[inside, 1], places[inside, 0]]
    assert inside.mean() > 0.7 and (values > 127).mean() > 0.95
    points = landmark_points(view.vertices, head.faces, head.landmarks)
    eyes = landmarks_68_of(project(view.camera, points)[:, :2])[36:48].mean(0)
    assert np.abs(eyes - [SIDE / 2, 0.47 * SIDE]).max() < 0.08 * SIDE  # as FFHQ has it


def test_the_textured_mesh_lies_where_the_target_is(head: HeadModel, sequence: Sequence) -> None:
    sample = with_texture(sequence, head, texture_side(SIDE))
    rgb, alpha = textured_mesh(head, sample)
    matte = sample.target_matte.astype(np.float32) / 255
    found = score(sample.target, matte, sample.hair.astype(np.float32) / 255, rgb, alpha)
    assert found.psnr > 12 and found.matte_mae < 0.05
    wrong = score(
        sample.target, matte, sample.hair.astype(np.float32) / 255, rgb[:, ::-1], alpha[:, ::-1]
    )
    assert wrong.matte_mae > 2 * found.matte_mae and wrong.psnr < found.psnr


def test_the_command_judges_a_checkpoint(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shards, run = tmp_path / "shards", tmp_path / "run"
    assert main(["synthesize", "-n", "1", "-o", str(shards), "--side", "32", "--quiet"]) == 0
    call = ["train", str(shards), "-o", str(run), "--config", "small", "--steps", "2"]
    assert main([*call, "--batch", "1", "--device", "cpu", "--json", "--quiet"]) == 0
    checkpoint = json.loads(capfd.readouterr().out.splitlines()[-1])["checkpoint"]
    call = ["train", str(shards), "-o", f"{run}2", "--config", "small-no_offsets", "--steps", "1"]
    assert main([*call, "--batch", "1", "--device", "cpu", "--json", "--quiet"]) == 0
    ablation = json.loads(capfd.readouterr().out.splitlines()[-1])["checkpoint"]
    call = ["evaluate", "--protocol", "synthetic", "--checkpoint", checkpoint, "-n", "2"]
    assert main([*call, "--pictures", str(tmp_path), "--json", "--quiet"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert result["frames"] == 2 and set(result["mean"]) == {
        "textured_mesh", "neural", "untrained"
    }  # fmt: skip
    assert result["mean"]["neural"] != result["mean"]["untrained"]
    assert Image.open(tmp_path / "synthetic.png").size == (5 * 32, 2 * 32)
    call = ["evaluate", "--protocol", "synthetic", "-n", "1", "--json", "--quiet"]
    both = ["--checkpoint", checkpoint, "--checkpoint", ablation]
    assert main([*call, *both]) == 0
    names = set(json.loads(capfd.readouterr().out)["mean"])
    assert names == {"textured_mesh", "small", "small-no_offsets", "untrained"}
    assert main([*call, *both[:2], *both[:2]]) == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "usage"


def test_without_a_checkpoint_the_default_networks_are_judged(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    call = ["evaluate", "--protocol", "synthetic", "-n", "1", "--pictures", str(tmp_path)]
    assert main([*call, "--json", "--quiet"]) == 0
    mean = json.loads(capfd.readouterr().out)["mean"]
    assert set(mean) == {"textured_mesh", "neural", "untrained"}
    assert mean["neural"] != mean["untrained"]
    assert mean["neural"]["psnr"] > mean["textured_mesh"]["psnr"]
