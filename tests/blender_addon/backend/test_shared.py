# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the one shared client and of the client with the real backend."""

from __future__ import annotations

import os
import signal
import time

import pytest

from blender_addon.backend import client as client_module
from blender_addon.core_access import (
    AvatarReady,
    Cancelled,
    CreateAvatar,
    DetectFaces,
    rig_from_tensors,
)
from rome_backend.assets.store import cache_dir
from rome_backend.avatar.heads import CACHE


@pytest.fixture
def nothing_shared(monkeypatch):
    """No shared client before or after the test."""
    monkeypatch.setattr(client_module._Shared, "client", None)
    monkeypatch.setattr(client_module._Shared, "choice", client_module.Choice)
    yield
    client_module.close_shared()


def test_the_shared_client_is_one_and_can_be_closed(
    nothing_shared, tmp_path, monkeypatch, backend_python
):
    monkeypatch.setenv("ROME_BACKEND_PYTHON", backend_python)
    chosen = client_module.Choice(folder=tmp_path)
    client_module.choose(lambda: chosen)
    client = client_module.shared()
    assert client_module.shared() is client
    refused = client.request(CreateAvatar(0, ())).future.exception(60)
    assert refused.code in ("no_photos", "asset_missing")
    assert client.welcome.version == client._version
    assert (tmp_path / "backend.log").is_file()
    client_module.close_shared()
    assert client.pid is None


def test_a_real_photo_becomes_a_rig_through_the_client(
    clients, data_dir, tracker_models, tmp_path, monkeypatch
):
    home = tmp_path / "home"  # what is installed, but another place to write to
    home.mkdir()
    (home / "assets").symlink_to(tracker_models)
    if (cache_dir() / CACHE).is_dir():
        (home / CACHE).symlink_to(cache_dir() / CACHE)
    monkeypatch.setenv("ROME_HOME", str(home))
    client = clients("-m", "rome_backend", "serve")
    photo = str(data_dir / "photos" / "p11_aderholt_bald.jpg")
    first = client.request(CreateAvatar(0, (photo,), size=256))
    while first.progress is None:
        time.sleep(0.01)
    os.kill(client.pid, signal.SIGKILL)
    assert first.future.exception(20).code == "backend_died"
    second = client.request(CreateAvatar(0, (photo,), size=256)).result(120)
    assert isinstance(second, AvatarReady)
    assert rig_from_tensors(second.rig, second.rig_metadata).albedo.shape == (256, 256, 3)
    third = client.request(CreateAvatar(0, (photo,), size=1024))
    while third.progress is None or third.progress.stage != "texture":
        time.sleep(0.01)
    start = time.perf_counter()
    client.cancel(third)
    assert isinstance(third.future.exception(0), Cancelled)
    assert client.request(DetectFaces(0, photo)).result(60).width > 0
    assert time.perf_counter() - start < 4  # a second on an idle machine
