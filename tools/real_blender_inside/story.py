# SPDX-License-Identifier: Apache-2.0
"""The walk through the add-on in a real window: what is started, the order of steps, the end.

Does not know the add-on's code: it looks at the screen and at what the observer writes down.
Runs with the chroot's own Python; every step that does not show ends it with exit code 1.

    python3 -m tools.real_blender_inside.story EXTENSION.zip PICTURES [STEP ...]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tools.real_blender_inside import making, showing
from tools.real_blender_inside.screen import Screen, StepFailed
from tools.real_blender_inside.watch import ASK, WATCH, wait

ROOT = Path(__file__).resolve().parents[2]
DISPLAY = ":78"
LOG = Path("/tmp/rome-blender.log")
# Windows without a frame: Blender's coordinates are then the screen's.
NO_FRAMES = """<?xml version="1.0"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
<applications><application class="*"><decor>no</decor></application></applications>
</openbox_config>
"""
MOST_CLICKS = 3
# What follows the head, in this order.
STEPS = (
    making.take_head_back, making.move_slider, making.key_all, showing.set_up_render,
    showing.preview, showing.preview_through_camera, showing.preview_follows,
    showing.orthographic, showing.paint, showing.lost_backend, showing.render,
    showing.animate, making.export_head, making.cancel_head, making.drop_photo,
    showing.browse_assets,
)  # fmt: skip


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
    variables |= {"ROME_WATCH": str(WATCH), "ROME_ASK": str(ASK), "XDG_RUNTIME_DIR": "/tmp"}
    variables["ROME_FRAMES"] = str(showing.FRAMES)
    os.environ.update(variables)
    for old in (WATCH, ASK):
        old.unlink(missing_ok=True)
    shutil.rmtree(showing.FRAMES, ignore_errors=True)
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


def story(screen: Screen, names: Sequence[str] = ()) -> None:
    """Walk; raises StepFailed at the first step that does not show.

    names: of the steps after the head, all if empty.
    """
    wait("the window with the add-on's tab", lambda now: "UI" in now.get("regions", {}), 90.0)
    screen.save("01_panel")
    before = screen.clicks
    making.choose_photo(screen)
    screen.save("03_photo")
    making.create_head(screen)
    clicks = screen.clicks - before
    print(f"clicks from photo to head: {clicks}", flush=True)
    if clicks > MOST_CLICKS:
        raise StepFailed(f"{clicks} clicks from photo to head; {MOST_CLICKS} is the promise")
    for step in (step for step in STEPS if not names or step.__name__ in names):
        step(screen)
        print(f"done: {step.__name__}", flush=True)


def main(arguments: list[str]) -> int:
    """Install, start, walk and end everything that was started."""
    archive, pictures, *names = arguments
    screen = Screen(Path(pictures))
    processes: list[subprocess.Popen[bytes]] = []
    try:
        install(archive)
        processes = start()
        story(screen, names)
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
