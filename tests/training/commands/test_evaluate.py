# SPDX-License-Identifier: Apache-2.0
"""`python -m training evaluate`: options, names of checkpoints, what is said besides the table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rome_backend.core.errors import UsageError
from training.__main__ import main
from training.commands import evaluate as command
from training.config import TrainConfig
from training.evaluation.scores import Scores
from training.evaluation.self_reenactment import ClipScores, FrameScores


def refused(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["evaluate", *arguments, "--json"]) == 2
    return str(json.loads(capfd.readouterr().out)["error"]["code"])


def test_what_makes_no_sense_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert refused(capfd) == "usage"
    assert refused(capfd, "--protocol", "cross") == "usage"
    assert refused(capfd, "--protocol", "synthetic", "-n", "0") == "usage"
    assert refused(capfd, "--protocol", "geometry") == "usage"
    assert refused(capfd, "--clips", str(tmp_path), "--every", "0") == "usage"
    assert refused(capfd, "--clips", str(tmp_path)) == "no_clips"
    scans = ["--protocol", "geometry", "--scans", str(tmp_path)]
    assert refused(capfd, *scans, "--others", "=x") == "usage"
    assert refused(capfd, *scans, "--others", f"mine={tmp_path / 'absent'}") == "no_outputs"


def named(*names: str) -> dict[Path, Any]:
    return {
        Path(f"{place}.safetensors"): SimpleNamespace(config=replace(TrainConfig(), name=name))
        for place, name in enumerate(names)
    }


@pytest.mark.parametrize(
    ("names", "wanted"),
    [((), []), (("open",), ["neural"]), (("open", "open-no_occ"), ["open", "open-no_occ"])],
)
def test_checkpoints_have_names(
    names: tuple[str, ...], wanted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = named(*names)
    monkeypatch.setattr(command, "read_checkpoint", files.__getitem__)
    monkeypatch.setattr(command, "trained", lambda path, head: str(path))
    found = command._trainees(list(files), None)  # type: ignore[arg-type]
    assert list(found) == wanted
    assert list(found.values()) == [str(path) for path in files]


def test_two_checkpoints_of_one_name_are_not_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    files = named("open", "open")
    monkeypatch.setattr(command, "read_checkpoint", files.__getitem__)
    with pytest.raises(UsageError, match="one configuration"):
        command._trainees(list(files), None)  # type: ignore[arg-type]


def test_the_table_the_pictures_and_what_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The protocol itself is replaced: it is told what was chosen and says two clips."""
    (tmp_path / "a.mp4").touch()
    told: dict[str, Any] = {}

    def protocol(paths: list[Path], tools: Any, size: int, every: int, *rest: Any) -> Any:
        _, judges, _, seen, others, inputs = rest
        told.update(paths=paths, size=size, every=every, others=others, inputs=inputs)
        frame = FrameScores(0, 1.0, {"mesh": Scores(20.0, 0.5, 0.1, 1.0)})
        seen(ClipScores("a", 0, (frame,), 0, np.zeros((4, 8, 3), np.uint8)))
        return {"mean": {"mesh": {"psnr": 20.0}}, **judges.omissions()}

    monkeypatch.setattr(command, "evaluate_self", protocol)
    monkeypatch.setattr(command, "load_tools", lambda: SimpleNamespace(head=None))
    monkeypatch.setenv("ROME_HOME", str(tmp_path / "home"))
    call = ["evaluate", "--clips", str(tmp_path), "--size", "512", "--every", "7", "--quiet"]
    more = ["--pictures", str(tmp_path / "p"), "--others", f"fomm={tmp_path}"]
    assert main([*call, *more, "--inputs", str(tmp_path / "i")]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split() == ["psnr"] and lines[1].split() == ["mesh", "20"]
    assert any(line.startswith("without csim: vggface2-resnet50") for line in lines)
    assert told["size"] == 512 and told["every"] == 7 and told["inputs"] == tmp_path / "i"
    assert [path.name for path in told["paths"]] == ["a.mp4"]
    assert [(each.name, each.folder) for each in told["others"]] == [("fomm", tmp_path)]
    assert Image.open(tmp_path / "p" / "a.png").size == (8, 4)


def test_geometry_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = [{"name": "ann", "missing": {"deca": "no mesh"}}]
    result = {"heads": rows, "mean": {"rome": {"chamfer": 2.5}}}
    monkeypatch.setattr(command, "evaluate_geometry", lambda *rest: result)
    monkeypatch.setattr(command, "load_tools", lambda: None)
    assert main(["evaluate", "--protocol", "geometry", "--scans", str(tmp_path)]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[1].split() == ["rome", "2.5"] and lines[2] == "ann: no deca: no mesh"
