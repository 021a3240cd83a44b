# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the one shared client and of the client with the real backend."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from blender_addon.backend import client as client_module
from blender_addon.backend.client import Client
from blender_addon.backend.locate import Launch
from blender_addon.core_access import (
    AvatarReady,
    Cancelled,
    CreateAvatar,
    DetectFaces,
    Rebake,
    rig_from_tensors,
)

PROBE = """
from rome_backend.assets.mediapipe import installed
from rome_backend.assets.store import AssetStore, cache_dir
print(installed(AssetStore()), cache_dir())
"""


@pytest.fixture
def nothing_shared(monkeypatch):
    """No shared client before or after the test."""
    monkeypatch.setattr(client_module._Shared, "client", None)
    monkeypatch.setattr(client_module._Shared, "choice", client_module.Choice)
    yield
    client_module.close_shared()


@pytest.fixture
def real(root, tmp_path, backend_python):
    """A client of the real backend, which uses what is installed but writes elsewhere."""
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    probe = [backend_python, "-c", PROBE]
    done = subprocess.run(probe, env=environment, capture_output=True, text=True, check=False)
    installed, _, home = done.stdout.strip().partition(" ")
    if installed != "True":
        pytest.skip("this Python has no backend or no model files: run `rome assets fetch`")
    mine = tmp_path / "home"
    mine.mkdir()
    for name in ("assets", "heads"):
        if (Path(home) / name).is_dir():
            (mine / name).symlink_to(Path(home) / name)
    command = (backend_python, "-m", "rome_backend", "serve")
    launch = Launch(command, {**environment, "ROME_HOME": str(mine)}, tmp_path / "log")
    client = Client(lambda: launch, "0.1.0")
    yield client
    client.close()


def test_the_shared_client_is_one_and_can_be_closed(
    nothing_shared, real, tmp_path, monkeypatch, backend_python
):
    monkeypatch.setenv("ROME_BACKEND_PYTHON", backend_python)
    chosen = client_module.Choice(folder=tmp_path)
    client_module.choose(lambda: chosen)
    client = client_module.shared()
    assert client_module.shared() is client
    refused = client.request(Rebake(0, "unheard of")).future.exception(60)
    assert refused.code == "avatar_unknown"
    assert client.welcome.version == client._version
    assert (tmp_path / "backend.log").is_file()
    client_module.close_shared()
    assert client.pid is None


def test_a_real_photo_becomes_a_rig_through_the_client(real, data_dir):
    photo = str(data_dir / "photos" / "p11_aderholt_bald.jpg")
    first = real.request(CreateAvatar(0, (photo,), size=256))
    while first.progress is None:
        time.sleep(0.01)
    os.kill(real.pid, signal.SIGKILL)
    assert first.future.exception(20).code == "backend_died"
    second = real.request(CreateAvatar(0, (photo,), size=256)).result(120)
    assert isinstance(second, AvatarReady)
    assert rig_from_tensors(second.rig, second.rig_metadata).albedo.shape == (256, 256, 3)
    third = real.request(CreateAvatar(0, (photo,), size=1024))
    while third.progress is None or third.progress.stage != "texture":
        time.sleep(0.01)
    start = time.perf_counter()
    real.cancel(third)
    assert isinstance(third.future.exception(0), Cancelled)
    assert real.request(DetectFaces(0, photo)).result(60).width > 0
    assert time.perf_counter() - start < 4  # a second on an idle machine
