# SPDX-License-Identifier: Apache-2.0
"""The walk through the add-on in a real window: photo, Create Head, slider, key, F12.

Does not know the add-on's code: it looks at the screen and at what the observer writes down.
Runs with the chroot's own Python; every step that does not show ends it with exit code 1.

    python3 -m tools.real_blender_inside.story EXTENSION.zip PICTURES
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.real_blender_inside.screen import Box, Screen, StepFailed

ROOT = Path(__file__).resolve().parents[2]
DISPLAY = ":78"
WATCH = Path("/tmp/rome-watch.json")
LOG = Path("/tmp/rome-blender.log")
# The F12 key's X code: by name xdotool also presses Alt on some keyboards.
F12 = "96"
# Windows without a frame: Blender's coordinates are then the screen's.
NO_FRAMES = """<?xml version="1.0"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
<applications><application class="*"><decor>no</decor></application></applications>
</openbox_config>
"""
STATUS_BAR = (0, 772, 1280, 28)
MOST_CLICKS = 3


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


def install(archive: str) -> None:
    """Install and enable the extension as a person would who has the zip."""
    command = ["blender", "--command", "extension", "install-file", "--repo", "user_default"]
    done = subprocess.run([*command, "--enable", archive], capture_output=True, text=True)
    text = done.stdout + done.stderr
    if done.returncode or "Traceback" in text:
        raise StepFailed(f"the extension was not installed: {text}")


def start() -> list[subprocess.Popen[bytes]]:
    """Start X, a window manager and Blender; return their processes, Blender last."""
    variables = {**os.environ, "DISPLAY": DISPLAY, "LIBGL_ALWAYS_SOFTWARE": "1"}
    variables |= {"ROME_WATCH": str(WATCH), "XDG_RUNTIME_DIR": "/tmp"}
    os.environ.update(variables)
    WATCH.unlink(missing_ok=True)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    screen = subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", "1280x800x24"], **quiet)
    settings = Path("/tmp/rome-openbox.xml")
    settings.write_text(NO_FRAMES, "utf-8")
    time.sleep(2.0)
    manager = subprocess.Popen(["openbox", "--config-file", str(settings)], **quiet)
    observer = str(ROOT / "tools" / "real_blender_inside" / "observer.py")
    command = ["blender", "--window-geometry", "0", "0", "1280", "800", "-P", observer]
    with LOG.open("wb") as log:
        blender = subprocess.Popen(command, stdout=log, stderr=log, cwd=Path.home())
    return [screen, manager, blender]


def sidebar() -> Box:
    """Return the sidebar's box on the screen."""
    x, y, width, height = state()["regions"]["UI"]
    return x, y, width, height


def choose_photo(screen: Screen) -> None:
    """Two clicks: open the file browser, then take the photo in it by a double click."""
    screen.click(screen.find("Choose Photos", sidebar))
    place = screen.find(next(Path.home().glob("portrait.*")).name)
    screen.save("2_file_browser")
    screen.click(place, times=2)
    wait("the file browser's end", lambda now: now["windows"] == 1, 20.0)


def create_head(screen: Screen) -> None:
    """One click, then the progress bar, then the head."""
    screen.click(screen.find("Create Head", sidebar))
    screen.find("Creating", lambda: STATUS_BAR)
    screen.save("4_progress")
    wait("the head", lambda now: now["heads"], 240.0)
    time.sleep(3.0)
    screen.save("5_head")


def move_slider(screen: Screen) -> None:
    """Drag one expression's slider and see its key move."""
    before = next(iter(state()["heads"].values()))
    screen.click(screen.find("Jaw", sidebar))
    scroll(screen, 4)
    screen.drag(screen.find("Open", sidebar), 60)
    changed = "the slider's shape key"
    wait(changed, lambda now: next(iter(now["heads"].values())) != before, 10.0)
    screen.save("6_slider")


def key_all(screen: Screen) -> None:
    """One click keys the whole pose."""
    before = len(state()["actions"])
    screen.click(screen.find("Key All", sidebar))
    wait("the keyed pose", lambda now: len(now["actions"]) > before, 10.0)
    screen.save("7_keyed")


def scroll(screen: Screen, notches: int) -> None:
    """Turn the wheel over the sidebar, downwards if positive."""
    x, y, width, height = sidebar()
    screen.scroll((x + width / 3, y + height / 2), notches)


def set_up_render(screen: Screen) -> None:
    """The add-on's engine and the photo's view, by the buttons of the Render section."""
    screen.click(screen.find("Expression", sidebar))
    screen.click(screen.find("Render", sidebar))
    for button in ("Render With ROME", "Photo's View"):
        screen.click(screen.find(button, sidebar))
    wait("the engine", lambda now: now["engine"] == "ROME", 10.0)
    screen.save("8_render_section")


def render(screen: Screen) -> None:
    """F12 renders with the add-on's engine."""
    x, y, width, height = state()["regions"]["WINDOW"]
    screen.move((x + width / 4, y + height * 0.9))
    screen.press(F12)
    wait("the render", lambda now: now["renders"] > 0, 60.0)
    time.sleep(2.0)
    screen.save("9_render")


def story(screen: Screen) -> None:
    """Walk; raises StepFailed at the first step that does not show."""
    wait("the window with the add-on's tab", lambda now: "UI" in now.get("regions", {}), 90.0)
    screen.save("1_panel")
    before = screen.clicks
    choose_photo(screen)
    time.sleep(8.0)
    screen.save("3_photo")
    create_head(screen)
    clicks = screen.clicks - before
    print(f"clicks from photo to head: {clicks}", flush=True)
    if clicks > MOST_CLICKS:
        raise StepFailed(f"{clicks} clicks from photo to head; {MOST_CLICKS} is the promise")
    for step in (move_slider, key_all, set_up_render, render):
        step(screen)
        print(f"done: {step.__name__}", flush=True)


def main(arguments: list[str]) -> int:
    """Install, start, walk and end everything that was started."""
    archive, pictures = arguments
    screen = Screen(Path(pictures))
    processes: list[subprocess.Popen[bytes]] = []
    try:
        install(archive)
        processes = start()
        story(screen)
    except StepFailed as failure:
        if processes:
            screen.save("failed")
        print(f"FAILED: {failure}", flush=True)
        print(LOG.read_text("utf-8", "replace")[-4000:] if LOG.exists() else "", flush=True)
        return 1
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()
    print("pictures:", ", ".join(screen.saved))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
