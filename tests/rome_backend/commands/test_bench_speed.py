# SPDX-License-Identifier: Apache-2.0
"""`rome bench` and `rome bench speed`: the table, the JSON, the chart, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rome_backend.bench import speed
from rome_backend.bench.speed import SpeedOptions
from rome_backend.cli import build_parser, main
from rome_backend.commands import demo

PAYLOAD = {
    "ratios": {"raster_vs_bruteforce": 512.5, "raster_vs_pytorch3d": None, "create_overhead": 0.4},
    "spread": {"raster_vs_bruteforce": [500.0, 530.0]},
    "runs": 2,
    "seconds": {"raster": 0.004},
    "light": {"rest_ms": 9.0, "peak_mib": 400, "hogged_p90_ms": None},
    "cores": 2,
    "machine": "x86_64",
    "torch": "2",
}


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> list[SpeedOptions]:
    asked: list[SpeedOptions] = []

    def bench(head: object, options: SpeedOptions, progress: object) -> dict:
        asked.append(options)
        return PAYLOAD

    monkeypatch.setattr(speed, "bench_speed", bench)
    monkeypatch.setattr(demo, "default_photo", lambda folder: Path("demo.png"))
    return asked


@pytest.mark.parametrize("command", [["bench"], ["bench", "speed"]])
def test_the_table_says_what_was_not_measured(
    command: list[str], capfd: pytest.CaptureFixture[str], measured: list[SpeedOptions]
) -> None:
    assert main([*command, "--rounds", "2"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert measured == [SpeedOptions(rounds=2, photo=Path("demo.png"))]
    assert lines[0].split() == ["raster_vs_bruteforce", "512.5", "(500.0", "to", "530.0)"]
    assert lines[1].endswith("not measured")
    assert lines[3].split() == ["light_rest_ms", "9.0"]
    assert lines[-1].split() == ["raster", "4.0", "ms"]


@pytest.mark.parametrize("command", [["bench", "--json"], ["bench", "speed", "--json"]])
def test_json_is_the_payload(command: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 0
    assert json.loads(capfd.readouterr().out) == PAYLOAD


def test_a_kind_keeps_what_stood_before_it_and_is_not_the_speed_bench() -> None:
    options = build_parser().parse_args(["bench", "--json", "pipe", "--rounds", "3"])
    assert options.json and options.kind == "pipe" and options.rounds == 3
    assert options.run.__name__ == "_pipe"
    plain = build_parser().parse_args(["bench", "pipe", "--quiet"])
    assert not plain.json and plain.quiet


def test_options_reach_the_bench(measured: list[SpeedOptions]) -> None:
    assert main(["bench", "--frames", "24", "--largest", "512", "--no-create", "--no-hog"]) == 0
    assert main(["bench", "--photo", "me.jpg"]) == 0
    assert measured[0] == SpeedOptions(5, 24, None, (256, 512), False)
    assert measured[1].photo == Path("me.jpg")


def test_the_chart_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "speed.png"
    assert main(["bench", "--chart", str(path)]) == 0
    picture = np.asarray(Image.open(path))
    assert picture.shape[2] == 3 and picture.std() > 5
    assert [each.name for each in path.parent.iterdir()] == ["speed.png"]


def test_a_missed_limit_is_told_and_fails_the_check(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["bench", "--check"]) == 0
    slow = {**PAYLOAD, "ratios": {"create_overhead": 0.7}}
    monkeypatch.setattr(speed, "bench_speed", lambda *_: slow)
    assert main(["bench"]) == 0
    assert main(["bench", "--check"]) == 1
    assert "create_overhead is 0.7; 0.5 is the most" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rounds", "0"], "At least one round"),
        (["--frames", "9"], "At least 10 frames"),
        (["--chart", "speed.jpg"], ".png file"),
        (["--largest", "300"], "invalid choice"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str],
    said: str,
    capfd: pytest.CaptureFixture[str],
    measured: list[SpeedOptions],
) -> None:
    assert main(["bench", *arguments]) == 2
    assert said in capfd.readouterr().err and not measured
