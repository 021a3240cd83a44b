# SPDX-License-Identifier: Apache-2.0
"""What the watched Blender holds, as the observer writes it down, and what it is asked to set.

Does not know the screen or the add-on.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.real_blender_inside.screen import Box, StepFailed

WATCH = Path("/tmp/rome-watch.json")
ASK = Path("/tmp/rome-ask.json")
ROUNDS = 4  # of the observer's notes


def state() -> dict[str, Any]:
    """Return what the observer wrote last; empty before it began."""
    try:
        return json.loads(WATCH.read_text("utf-8"))
    except FileNotFoundError:
        return {}


def wait(what: str, shows: Callable[[dict[str, Any]], Any], seconds: float) -> dict[str, Any]:
    """Wait until the state shows it and return the state; raises StepFailed after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = state()
        if now and shows(now):
            return now
        time.sleep(0.25)
    raise StepFailed(f"{what} did not happen within {seconds:.0f} s; the state is {state()}")


def ask(name: str) -> None:
    """Have the observer do one of the things it can, and wait until it has."""
    done = state()["asked"]
    new = ASK.with_suffix(".new")
    new.write_text(json.dumps({"number": done + 1, "name": name}), "utf-8")
    os.replace(new, ASK)
    wait(f"what was asked for, {name}", lambda now: now["asked"] == done + 1, 60.0)
    breathe()


def breathe() -> None:
    """Wait until Blender, however slow, has come round to its timers and its drawing again."""
    before = state()["notes"]
    wait("Blender's coming round", lambda now: now["notes"] >= before + ROUNDS, 120.0)


def sidebar() -> Box:
    """Return the sidebar's box on the screen."""
    return _region("UI")


def viewport() -> Box:
    """Return the box on the screen of the 3D viewport, the part under its sidebar included."""
    return _region("WINDOW")


def seen() -> Box:
    """Return the box of the 3D viewport between its tools on the left and its sidebar."""
    x, y, _, height = viewport()
    return x + 60, y + 130, sidebar()[0] - x - 160, height - 140


def _region(name: str) -> Box:
    x, y, width, height = state()["regions"][name]
    return x, y, width, height
