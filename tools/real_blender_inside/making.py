# SPDX-License-Identifier: Apache-2.0
"""Steps of the walk: from a photo to a head, its slider, its key, and taking things back.

Does not know the add-on's code or what comes before and after a step.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from tools.real_blender_inside.drop import Source
from tools.real_blender_inside.screen import SCREEN, Box, Screen, StepFailed
from tools.real_blender_inside.watch import breathe, seen, sidebar, state, viewport, wait

STATUS_BAR = (0, 772, 1280, 28)
CREATE = "ROME_OT_create_head"
SAME = 3
REACH = 10  # how often the sidebar is scrolled on in search of something
EXPORT_SECONDS = 120
UNDO, REDO = "ctrl+z", "ctrl+shift+z"


def portrait() -> Path:
    """Return the photo as it lies in the artist's home."""
    return next(Path.home().glob("portrait.*"))


def choose_photo(screen: Screen) -> None:
    """Two clicks: open the file browser, then take the photo in it by a double click."""
    screen.click(screen.find("Choose Photos", sidebar))
    wait("the file browser", lambda now: now["windows"] == 2, 60.0)
    rest(screen, lambda: SCREEN)
    place = screen.find(portrait().name, seconds=60.0)
    screen.save("02_file_browser")
    screen.click(place, times=2)
    wait("the file browser's end", lambda now: now["windows"] == 1, 20.0)
    breathe()
    screen.lose("Looking for the face", sidebar)
    rest(screen, sidebar)


def create_head(screen: Screen) -> None:
    """One click, then the progress bar, then the head."""
    screen.click(screen.find("Create Head", sidebar))
    screen.find("Creating", lambda: STATUS_BAR)
    screen.save("04_progress")
    wait("the head", lambda now: now["heads"] and CREATE in now["operators"], 240.0)
    rest(screen, viewport)
    screen.save("05_head")


def take_head_back(screen: Screen) -> None:
    """Ctrl-Z takes the head back in one step, and another key brings it again."""
    over_viewport(screen)
    screen.press(UNDO)
    wait("the undone head", lambda now: not now["heads"], 20.0)
    screen.press(REDO)
    wait("the head again", lambda now: now["heads"], 20.0)


def move_slider(screen: Screen) -> None:
    """Drag one expression's slider and see its key move."""
    before = next(iter(state()["heads"].values()))
    turn(screen, "Jaw")
    scroll(screen, 4)
    screen.drag(screen.find("Open", sidebar), 60)
    changed = "the slider's shape key"
    wait(changed, lambda now: next(iter(now["heads"].values())) != before, 10.0)
    rest(screen, viewport)
    screen.save("06_slider")


def key_all(screen: Screen) -> None:
    """One click keys the whole pose; Ctrl-Z takes exactly that back."""
    before, values = len(state()["actions"]), state()["heads"]
    screen.click(screen.find("Key All", sidebar))
    wait("the keyed pose", lambda now: len(now["actions"]) > before, 10.0)
    screen.save("07_keyed")
    over_viewport(screen)
    screen.press(UNDO)
    undone = "the undone key, and nothing else undone,"
    wait(undone, lambda now: len(now["actions"]) == before and now["heads"] == values, 20.0)
    screen.press(REDO)
    wait("the key again", lambda now: len(now["actions"]) > before, 20.0)


def export_head(screen: Screen) -> None:
    """Export GLB, with the file that is proposed: another Blender makes it, this one goes on."""
    screen.click(reveal(screen, "Export"))
    time.sleep(1.5)
    scroll(screen, 30)
    screen.click(screen.find("Export GLB", sidebar))
    wait("the file browser", lambda now: now["windows"] == 2, 60.0)
    rest(screen, lambda: SCREEN)
    screen.save("15_export_file")
    screen.click(screen.find("Export GLB", lambda: SCREEN))
    wait("the file browser's end", lambda now: now["windows"] == 1, 20.0)
    screen.find("Exporting", lambda: STATUS_BAR)
    screen.save("15_exporting")
    for _ in range(EXPORT_SECONDS):
        if list(Path.home().glob("*.glb")):
            return
        breathe()
    raise StepFailed("no GLB file came of Export GLB")


def cancel_head(screen: Screen) -> None:
    """Esc ends a second Create Head: its progress goes, and nothing comes of it."""
    before = set(state()["heads"])
    scroll(screen, -30)
    screen.click(screen.find("Create Head", sidebar))
    screen.find("Creating", lambda: STATUS_BAR)
    over_viewport(screen)
    screen.press("Escape")
    screen.find("Create Head", sidebar)
    screen.save("15_cancelled")
    time.sleep(6.0)
    if set(state()["heads"]) != before:
        raise StepFailed("Esc did not keep the second head from being made")


def drop_photo(screen: Screen) -> None:
    """Drop a second photo onto the viewport as a file manager would; it is the chosen one then."""
    photo = portrait().with_name(f"dropped{portrait().suffix}")
    photo.write_bytes(portrait().read_bytes())
    x, y, width, height = seen()
    screen.move((x + width / 2, y + height / 2))
    with Source(os.environ["DISPLAY"], photo) as source:
        if not source.drop(x + width // 2, y + height // 2):
            raise StepFailed("Blender did not take the dropped photo")
    # Blender asks which operator is meant, since it has one for images itself.
    around = x + width // 2 - 170, y + height // 2 - 70, 420, 140
    place = screen.find("Photos for ROME", lambda: around)
    screen.save("16_drop_menu")
    screen.click(place)
    screen.find(photo.name, sidebar)
    screen.save("17_dropped")


def reveal(screen: Screen, phrase: str) -> tuple[float, float]:
    """Scroll the sidebar down from its top until the phrase shows; return its middle px."""
    scroll(screen, -40)
    for _ in range(REACH):
        with contextlib.suppress(StepFailed):
            screen.find(phrase, sidebar, 0.0)
            rest(screen, sidebar)  # a slow Blender still scrolls
            return screen.find(phrase, sidebar, 0.0)
        scroll(screen, 4)
    return screen.find(phrase, sidebar)


def turn(screen: Screen, section: str) -> None:
    """Open or close a section of the sidebar, and wait until it has done so."""
    screen.click(screen.find(section, sidebar))
    time.sleep(1.5)


def rest(screen: Screen, box: Callable[[], Box]) -> None:
    """Wait until a part of the screen shows the same for some seconds."""
    before, same = b"", 0
    for _ in range(60):
        breathe()
        now = screen.pixels(box())
        same = same + 1 if now == before else 0
        if same == SAME:
            return
        before = now
    raise StepFailed("a part of the screen does not come to rest")


def over_viewport(screen: Screen) -> None:
    """Bring the pointer to a corner of the viewport where nothing is hit by it."""
    x, y, width, height = viewport()
    screen.move((x + width / 4, y + height * 0.9))


def scroll(screen: Screen, notches: int) -> None:
    """Turn the wheel over the sidebar, downwards if positive."""
    x, y, width, height = sidebar()
    screen.scroll((x + width / 3, y + height / 2), notches)
