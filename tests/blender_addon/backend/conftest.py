# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of real child processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from blender_addon.backend.client import Client
from blender_addon.backend.locate import Launch


@pytest.fixture(scope="session")
def fake():
    """A backend program whose work is light."""
    return Path(__file__).parents[2] / "rome_backend" / "server" / "fake_backend.py"


@pytest.fixture
def launch_of(root, backend_python):
    """Say how to start the backend's Python with a log and arguments."""

    def launch(log, *arguments):
        environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
        return Launch((backend_python, *map(str, arguments)), environment, log)

    return launch


@pytest.fixture
def clients(launch_of, tmp_path):
    """Make clients of a program; their backends are gone afterwards."""
    made = []

    def make(*arguments):
        launch = launch_of(tmp_path / "logs" / "backend.log", *arguments)
        made.append(Client(lambda: launch, "0.1.0"))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(clients, fake):
    """A client of the light backend."""
    return clients(fake)
