# SPDX-License-Identifier: Apache-2.0
"""The command: invented people and avatars in, files that `rome assets import` takes out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.assets.importer import import_paths
from rome_backend.assets.store import AssetStore
from rome_backend.avatar.avatar import save_avatar
from rome_backend.core.types import Avatar, Camera, FlameParams, HeadModel
from rome_backend.models.linear_offsets import make_linear_offsets_net
from training.__main__ import main
from training.distill.basis import COMPONENTS, LinearBasis
from training.distill.people import examples_of_avatars
from training.distill.release import BASIS, CARD, MEAN, REGRESSOR, write_linear_model

FLAME = 5023


def test_the_files_are_imported_like_the_released_ones(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    dirs = random.normal(0, 0.01, (3 * FLAME, COMPONENTS)).astype(np.float32)
    basis = LinearBasis(np.full((FLAME, 3), 0.01, np.float32), dirs, (0.9, 0.8))
    network = make_linear_offsets_net()
    card = write_linear_model(tmp_path / "out", network, basis, {"people": 3})
    report = import_paths([tmp_path / "out"], AssetStore(tmp_path / "store"))
    assert not report.refused
    assert {item.asset for item in report.imported} == {
        "rome-linear-offsets", "rome-offset-basis", "rome-mean-offsets",
    }  # fmt: skip
    facts = json.loads(card.read_text("utf-8"))
    assert facts["people"] == 3 and facts["explained_variance"] == {"hair": 0.9, "neck": 0.8}
    assert set(facts["sha256"]) == {REGRESSOR, BASIS, MEAN}


def test_invented_people_by_the_command(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    shards, out = tmp_path / "shards", tmp_path / "out"
    assert main(["synthesize", "-n", "4", "-o", str(shards), "--side", "32", "--quiet"]) == 0
    call = ["distill", str(shards), "-o", str(out), "--steps", "2", "--batch", "2", "--json"]
    capfd.readouterr()
    assert main([*call, "--held-out", "1", "--quiet"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert result["people"] == 3 and result["held_out"] == 1
    assert result["error_mm"]["basis"] < 0.05 < result["error_mm"]["mean_head"]  # 3 people, 2 axes
    assert set(result["losses"]) == {"total", "coefficients", "chamfer", "occupancy"}
    assert set(result["held_out_error_mm"]) == {"mean_head", "basis", "regressor"}
    state = torch.load(out / REGRESSOR, weights_only=True)
    assert state["fc.weight"].shape == (COMPONENTS, 2048)
    mean, dirs = (torch.load(out / name, weights_only=True) for name in (MEAN, BASIS))
    assert dirs.shape == (mean.numel(), COMPONENTS)
    card = json.loads((out / CARD).read_text("utf-8"))
    assert card["steps"] == 2 and card["seed"] == 0 and card["topology_id"]
    assert main([*call, "--held-out", "3"]) == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "usage"


def avatar(head: HeadModel, name: str, seed: int) -> Avatar:
    random = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * np.pi, 478, endpoint=False)
    points = 32 + 15 * np.stack([np.cos(turn), np.sin(turn), 0 * turn], -1)
    count, keys = len(head.template), len(head.expression_names)
    offsets = random.normal(0, 0.01, (count, 3)).astype(np.float32)
    return Avatar(
        name=name, head_model=head.name, topology_id=head.topology_id,
        params=FlameParams(np.zeros(head.shape_dirs.shape[-1]), np.zeros(keys)),
        offset_coefficients=np.zeros(60, np.float32), free_offsets=offsets, offsets=offsets,
        albedo=np.zeros((8, 8, 3), np.uint8), confidence=np.zeros((8, 8), np.uint8),
        source_crop=random.integers(0, 256, (64, 64, 3), dtype=np.uint8),
        source_matte=np.full((64, 64), 255, np.uint8),
        source_landmarks=points.astype(np.float32), camera=Camera(np.eye(4), 64, 64),
        warnings=(), licences={}, provenance={},
    )  # fmt: skip


def test_avatars_are_people_too(tmp_path: Path, small_head: HeadModel) -> None:
    made = [avatar(small_head, name, seed) for seed, name in enumerate("ab")]
    for each in made:
        save_avatar(each, tmp_path / f"{each.name}.rome")
    found = list(examples_of_avatars(tmp_path, small_head, 48))
    assert [each.source.shape for each in found] == [(3, 48, 48)] * 2
    assert np.array_equal(found[1].offsets, made[1].offsets) and found[0].sample is None
    assert 0 <= found[0].source.min() and found[0].source.max() <= 1
    save_avatar(replace(made[0], topology_id="another"), tmp_path / "c.rome")
    with pytest.raises(Exception, match="topology|head model"):
        list(examples_of_avatars(tmp_path, small_head, 48))


def test_a_folder_without_people_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert main(["distill", str(tmp_path), "-o", str(tmp_path / "out"), "--json"]) == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "no_avatars"
