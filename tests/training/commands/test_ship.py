# SPDX-License-Identifier: Apache-2.0
"""A checkpoint as the program's default weights, and the ones that are committed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.assets.store import cache_dir
from rome_backend.avatar.photo_layers import GUIDES, PhotoLayers
from rome_backend.avatar.photo_mend import SHIPPED, joined
from rome_backend.avatar.photo_weights import DEFAULT, WEIGHTS_ID, load_photo_mender
from rome_backend.open_head.build import open_head
from training.__main__ import main
from training.batch import Sample
from training.data.shards import StoredSample, write_shards
from training.layers import packed_layers

MOST_BYTES = 24 << 20


def some_layers(seed: int) -> PhotoLayers:
    draw = torch.Generator().manual_seed(seed)
    return PhotoLayers(*(torch.rand(1, n, 32, 32, generator=draw) for n in (4, 4, GUIDES)))


@pytest.fixture
def checkpoint(
    tmp_path: Path, make_sample: Callable[[int], Sample], capfd: pytest.CaptureFixture[str]
) -> Path:
    """One step of `light` on noise."""
    head = open_head(cache_dir() / "heads")
    settings = {"side": 16, "seed": 7, "topology_id": head.topology_id, "layers": True}

    def make(number: int) -> StoredSample:
        return StoredSample(
            replace(make_sample(number), layers=packed_layers(some_layers(number))), {}
        )

    write_shards(tmp_path / "shards", make, 2, settings)
    call = ["train", str(tmp_path / "shards"), "-o", str(tmp_path / "run"), "--config", "light"]
    assert main([*call, "--steps", "1", "--batch", "2", "--device", "cpu", "--json"]) == 0
    return Path(json.loads(capfd.readouterr().out)["checkpoint"])


def test_a_checkpoint_becomes_weights_with_a_card(checkpoint: Path, tmp_path: Path) -> None:
    measures, out = tmp_path / "measures.json", tmp_path / "new" / "photo.safetensors"
    measures.write_text(json.dumps({"protocol": "self", "size": 256, "mean": {}, "other": 1}))
    call = ["ship", str(checkpoint), "-o", str(out), "--measures", str(measures), "--quiet"]
    call += ["--code", "abc"]
    assert main(call) == 0
    controls = load_photo_mender(out)(some_layers(1))
    assert controls.shape[1] == SHIPPED
    card = json.loads(out.with_suffix(".json").read_text())
    assert card["steps"] == 1 and card["code"] == "abc" and card["weights_id"] == WEIGHTS_ID
    assert card["measures"] == [{"protocol": "self", "size": 256, "mean": {}}]
    made, trained = card["commands"]
    assert "synthesize -n 2 --side 16 --seed 7 --layers" in made
    assert "--config light --steps 1 --seed 0" in trained


def test_measures_that_cannot_be_read_are_refused(
    checkpoint: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "photo.safetensors"
    call = ["ship", str(checkpoint), "-o", str(out), "--measures", str(tmp_path / "none"), "--json"]
    assert main(call) == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "measures_unreadable"
    assert not out.exists()


def test_the_committed_weights_are_small_and_say_where_they_come_from() -> None:
    card = json.loads(DEFAULT.with_suffix(".json").read_text())
    assert DEFAULT.stat().st_size + DEFAULT.with_suffix(".json").stat().st_size < MOST_BYTES
    assert card["weights_id"] == WEIGHTS_ID and len(card["commands"]) == 2
    assert f"--steps {card['steps']} " in card["commands"][1]
    assert {each["size"] for each in card["measures"]} == {256, 512}
    for each in card["measures"]:
        better = [
            clip["neural"]["psnr"] > clip["textured_mesh"]["psnr"]
            and clip["neural"]["ssim"] > clip["textured_mesh"]["ssim"]
            and clip["neural"]["matte_mae"] < clip["textured_mesh"]["matte_mae"]
            for clip in each["clips"]
        ]
        assert len(better) == 9 and sum(better) >= 8
        assert each["mean"]["neural"]["sharpness_ratio"] >= 0.85


def test_the_committed_network_was_trained() -> None:
    layers = some_layers(3)
    layers = replace(layers, guides=torch.zeros_like(layers.guides).index_fill(
        1, torch.tensor([0, 1]), 0.5))  # fmt: skip
    with torch.no_grad():
        controls = load_photo_mender()(layers)
        apart = (joined(layers, controls).rgb - joined(layers).rgb).abs()
    assert torch.isfinite(controls).all() and apart.mean() > 1e-3
    assert np.isfinite(apart.numpy()).all()
