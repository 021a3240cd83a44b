# SPDX-License-Identifier: Apache-2.0
"""`rome bench speed`: the table, the JSON, and what it refuses."""

from __future__ import annotations

import json

import pytest

from rome_backend.bench import speed
from rome_backend.cli import main

PAYLOAD = {
    "ratios": {"raster_vs_bruteforce": 512.5, "raster_vs_pytorch3d": None, "some_psnr_db": 44.0},
    "spread": {"raster_vs_bruteforce": [500.0, 530.0]},
    "runs": 2,
    "seconds": {"raster": 0.004},
}


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    rounds: list[int] = []

    def bench(head: object, count: int, progress: object) -> dict:
        rounds.append(count)
        return PAYLOAD

    monkeypatch.setattr(speed, "bench_speed", bench)
    return rounds


def test_the_table_says_what_is_not_installed(
    capfd: pytest.CaptureFixture[str], measured: list[int]
) -> None:
    assert main(["bench", "speed", "--rounds", "2"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert measured == [2]
    assert lines[0].split() == ["raster_vs_bruteforce", "512.5", "(500.0", "to", "530.0)"]
    assert lines[1].endswith("not installed")
    assert lines[-1].split() == ["raster", "4.0", "ms"]


def test_json_is_the_payload(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "speed", "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == PAYLOAD


def test_no_round_is_refused(capfd: pytest.CaptureFixture[str], measured: list[int]) -> None:
    assert main(["bench", "speed", "--rounds", "0"]) == 2
    assert "At least one round" in capfd.readouterr().err and not measured
