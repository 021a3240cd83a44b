# SPDX-License-Identifier: Apache-2.0
"""Tests of `rome assets` and `rome doctor` on an empty or half-filled folder of model files.

Fetches nothing: downloading is replaced.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rome_backend.assets.store import AssetStore
from rome_backend.cli import main
from rome_backend.commands import doctor
from rome_backend.commands.doctor import available_memory_mib

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROME_HOME", str(tmp_path / "home"))


def rome(capfd: Capture, *arguments: str) -> tuple[int, Any]:
    code = main([*arguments, "--json"])
    return code, json.loads(capfd.readouterr().out)


def test_an_empty_store_lists_nothing_and_says_what_to_do(capfd: Capture) -> None:
    assert rome(capfd, "assets", "list")[1]["assets"] == []
    assert main(["assets", "list"]) == 0
    assert "rome assets fetch" in capfd.readouterr().out


def test_installed_files_are_listed_verified_and_removed(capfd: Capture) -> None:
    AssetStore().add("thing", "thing.bin", b"data", "Apache-2.0", "test")
    assert [entry["name"] for entry in rome(capfd, "assets", "list")[1]["assets"]] == ["thing"]
    code, result = rome(capfd, "assets", "verify")
    assert (code, result["assets"]) == (0, [{"name": "thing", "ok": True}])
    (AssetStore().folder / "thing.bin").write_bytes(b"dat!")
    code, result = rome(capfd, "assets", "verify")
    assert (code, result["assets"][0]["ok"]) == (4, False)
    assert result["assets"][0]["error"]["code"] == "asset_damaged"
    assert rome(capfd, "assets", "remove", "thing")[0] == 0
    assert not AssetStore().list()


def test_what_is_not_installed_cannot_be_removed(capfd: Capture) -> None:
    code, result = rome(capfd, "assets", "remove", "thing")
    assert (code, result["error"]["code"]) == (4, "asset_missing")


def test_unknown_files_are_not_imported(capfd: Capture, tmp_path: Path) -> None:
    (tmp_path / "x.pkl").write_bytes(b"")
    code, result = rome(capfd, "assets", "import", str(tmp_path / "x.pkl"))
    assert (code, result["error"]["code"]) == (2, "asset_unknown")


def test_a_folder_is_imported_and_its_bad_file_told(capfd: Capture, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    np.savez(folder / "good", lmk_face_idx=np.arange(3), lmk_b_coords=np.full((3, 3), 1 / 3),
             landmark_indices=np.arange(3))  # fmt: skip
    (folder / "bad").write_bytes(b"\x80\x02cos\nsystem\n.")
    (folder / "note.txt").write_text("hello")
    code, result = rome(capfd, "assets", "import", str(folder))
    assert code == 1 and result["error"]["code"] == "pickle_forbidden"
    assert [item["asset"] for item in result["imported"]] == ["flame-landmarks-mediapipe"]
    assert result["skipped"] == ["note.txt"] and result["refused"][0]["file"] == "bad"
    (folder / "bad").unlink()
    assert rome(capfd, "assets", "import", str(folder))[0] == 0
    assert rome(capfd, "assets", "verify")[0] == 0
    assert rome(capfd, "assets", "import", str(tmp_path / "gone"))[0] == 2


def test_the_doctor_says_what_create_chooses_and_what_lacks(
    capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (doctor._choices,))
    code, result = rome(capfd, "doctor")
    told = {check["name"]: check["found"] for check in result["checks"]}
    assert code == 0 and told["create chooses"] == "head open, tracker open, networks open"
    assert "rome.pth" in told["optional: official"] and "u_full.pt" in told["optional: linear"]
    for name in ("flame-model", "flame-landmarks-68", "deca"):
        AssetStore().add(name, f"{name}.bin", b"", "MIT", "test")
    told = {c["name"]: c["found"] for c in rome(capfd, "doctor")[1]["checks"]}
    assert told["create chooses"] == "head flame, tracker deca, networks open"
    assert told["optional: deca"] == "installed"


def test_fetching_offline_is_exit_code_4(
    capfd: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    code, result = rome(capfd, "assets", "fetch")
    assert (code, result["error"]["code"]) == (4, "tracker_models_missing")
    assert "import" in result["error"]["hint"]


def test_the_doctor_names_what_is_missing(
    capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (doctor._program, doctor._folders, doctor._models))
    code, result = rome(capfd, "doctor")
    failed = [check for check in result["checks"] if not check["ok"]]
    assert code == 4 and not result["ok"]
    assert [check["name"] for check in failed] == ["tracker models"]
    assert "rome assets fetch" in failed[0]["hint"]


def test_the_doctor_sees_a_cache_folder_that_cannot_be_used(
    capfd: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ROME_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr(doctor, "CHECKS", (doctor._folders,))
    code, result = rome(capfd, "doctor")
    assert code == 1 and "ROME_HOME" in result["checks"][0]["hint"]


def test_the_doctor_knows_missing_packages(
    capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("numpy", "no-such-package-anywhere"))
    monkeypatch.setattr(doctor, "CHECKS", (doctor._packages,))
    code, result = rome(capfd, "doctor")
    assert code == 1
    assert [check["ok"] for check in result["checks"]] == [True, False]


def test_a_broken_blender_module_is_found(
    capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (doctor._blender,))
    monkeypatch.setattr(doctor, "BPY_PROBE", "raise ImportError('libX11.so.6')")
    code, result = rome(capfd, "doctor")
    assert code == 1 and "libX11" in result["checks"][0]["found"]


def test_memory_is_read_from_the_system(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    4194304 kB\n")
    assert available_memory_mib(tmp_path / "meminfo") == 4096
    free = available_memory_mib()
    assert free is None or free > 0
