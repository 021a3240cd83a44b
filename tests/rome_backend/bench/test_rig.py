# SPDX-License-Identifier: Apache-2.0
"""Tests of the rig's bench: a full rig's load, honest numbers, its exit code, a child that fails.

Does not know how a head is built.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from rome_backend.bench import rig as bench
from rome_backend.cli import main
from rome_backend.core.errors import RomeError
from rome_backend.core.rig_file import check_rig
from rome_backend.export.blend import PYTHON_VARIABLE
from rome_backend.export.rig_arrays import rig_arrays

with_bpy = pytest.mark.skipif(find_spec("bpy") is None, reason="the bpy wheel is not installed")


@pytest.fixture
def rig(small_head, small_basis, small_avatar):
    """The small avatar's rig."""
    return rig_arrays(small_head, small_basis, small_avatar)


@with_bpy
def test_the_bench_measures_a_full_rig_s_load(rig) -> None:
    found = bench.bench_rig(rig, 5, 2)
    assert found["keys"] >= bench.KEYS + bench.DRIVEN and found["drivers"] == bench.DRIVEN
    assert found["vertices"] == len(rig.vertices)
    assert found["keys_padded"] == found["keys"] - len(rig.keys) > 0
    assert len(found["build_seconds_each"]) == 2 and min(found["build_seconds_each"]) > 0
    assert found["fps"] > 0 and found["frames"] == 5


def test_padding_leaves_the_rig_s_own_keys_and_costs_what_they_cost(rig) -> None:
    full = bench.padded(rig)
    check_rig(full)
    assert full.keys[: len(rig.keys)] == rig.keys
    added = full.keys[len(rig.keys) :]
    assert added and all(key.name.startswith(bench.PADDING) for key in added)
    assert all(np.any(key.delta) for key in added if key.driver is not None)
    assert sum(key.driver is None for key in full.keys) == bench.KEYS


def test_a_rig_that_is_full_already_is_not_padded(rig) -> None:
    full = bench.padded(rig)
    assert bench.padded(full).keys == full.keys


def test_a_rig_without_keys_is_not_called_measured(rig) -> None:
    bare = bench.padded(replace(rig, keys=()))
    payload = {"build_seconds": 0.1, "fps": 60.0, "keys": len(bare.keys), "drivers": 0}
    assert any("0 keys" in sentence for sentence in bench.missed_limits(payload))


@pytest.mark.parametrize(
    ("changed", "word"), [({"build_seconds": 1.0}, "build"), ({"fps": 23.9}, "plays")]
)
def test_each_limit_can_be_missed(changed: dict[str, float], word: str) -> None:
    good = {"build_seconds": 0.5, "fps": 24.0, "keys": 206, "drivers": 36}
    assert bench.missed_limits(good) == []
    assert [word in sentence for sentence in bench.missed_limits(good | changed)] == [True]


@pytest.mark.skipif(os.name != "posix", reason="the stand-in child is a shell script")
def test_a_child_that_fails_says_its_last_words(rig, tmp_path, monkeypatch) -> None:
    path = tmp_path / "python"
    path.write_text("#!/bin/sh\necho no bones >&2\nexit 1\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv(PYTHON_VARIABLE, str(path))
    with pytest.raises(RomeError, match="no bones") as caught:
        bench.bench_rig(rig, 1, 1)
    assert caught.value.code == "blend_failed"


@with_bpy
def test_a_missed_limit_is_exit_code_1(monkeypatch, capfd, data_dir) -> None:
    monkeypatch.setattr(bench, "MOST_BUILD_SECONDS", 0.0)
    photo = next((data_dir / "photos").glob("p02*"))
    command = ["bench", "rig", str(photo), "--frames", "2", "--rounds", "1", "--json", "--check"]
    assert main(command) == 1
    said = capfd.readouterr()
    assert json.loads(said.out)["keys"] >= bench.KEYS and "missed" in said.err


@pytest.mark.parametrize("wrong", [["--rounds", "0"], ["--frames", "0"]])
def test_numbers_that_make_no_sense_are_usage_errors(wrong: list[str]) -> None:
    assert main(["bench", "rig", *wrong]) == 2
