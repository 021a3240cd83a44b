# SPDX-License-Identifier: Apache-2.0
"""`python -m training train` on invented people: it learns, continues, and refuses nonsense."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from rome_backend.commands.console import Console
from training.__main__ import main
from training.checkpoint import read_checkpoint
from training.commands.train import tell
from training.data.shards import MANIFEST
from training.journal import read_losses
from training.trainer import RunResult


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    assert main(["synthesize", "-n", "2", "-o", str(folder), "--side", "32", "--quiet"]) == 0
    return folder


def run(*arguments: object) -> int:
    return main(["train", *map(str, arguments), "--json", "--quiet"])


def test_training_learns_and_continues(
    tmp_path: Path, shards: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    call = [shards, "-o", tmp_path, "--config", "small", "--batch", "2", "--device", "cpu"]
    assert run(*call, "--steps", "6") == 0
    result = json.loads(capfd.readouterr().out)
    assert result["steps"] == 6 and result["images_per_second"] > 0
    assert set(result["losses_off"]) == {"perceptual", "gaze", "identity"}
    checkpoint = read_checkpoint(Path(result["checkpoint"]))
    assert checkpoint.config.sizes.side == 32 and checkpoint.config.batch == 2
    assert checkpoint.facts["off"] == result["losses_off"]
    assert checkpoint.facts["run"]["settings"]["kind"] == "synthetic"
    assert run(*call, "--steps", "8") == 0
    assert json.loads(capfd.readouterr().out)["steps"] == 8
    losses = [row["colour"] for row in read_losses(tmp_path)]
    assert len(losses) == 8 and losses[-1] < losses[0]


def test_a_loss_that_is_not_finite_is_null(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    result = RunResult(
        3, {"total": float("nan"), "dice": 0.5}, {"gaze": "x"}, 1, 2.0, 0.1, tmp_path
    )
    tell(result, Console(out, as_json=True, err=err))
    told = json.loads(out.getvalue())
    assert told["losses"] == {"total": None, "dice": 0.5} and told["skipped"] == 1
    assert "the gaze loss was off: x" in err.getvalue()


def test_refusals(tmp_path: Path, shards: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for arguments, code in (
        (["--config", "nothing", "--steps", "1"], "unknown_config"),
        (["--steps", "0"], "usage"),
        (["--steps", "1", "--batch", "3", "--micro-batch", "2"], "usage"),
        (["--steps", "1", "--side", "33"], "usage"),
    ):
        assert run(shards, "-o", tmp_path / "new", *arguments) == 2
        assert json.loads(capfd.readouterr().out)["error"]["code"] == code
    assert run(tmp_path, "-o", tmp_path / "new", "--steps", "1") == 1
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "shards_invalid"
    assert not (tmp_path / "new").exists()


def test_shards_of_another_head_are_refused(
    tmp_path: Path, shards: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    manifest = json.loads((shards / MANIFEST).read_text())
    manifest["settings"]["topology_id"] = "another"
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    assert run(tmp_path, "-o", tmp_path / "new", "--steps", "1") == 1
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "shards_of_another_head"
