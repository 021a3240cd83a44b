# SPDX-License-Identifier: Apache-2.0
"""Steps of the walk: the preview in the viewport, stills, animations and the Asset Browser.

Does not know the add-on's code or what comes before and after a step.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from tools.real_blender_inside.making import over_viewport, rest, reveal, scroll, turn
from tools.real_blender_inside.screen import SCREEN, Screen, StepFailed, difference
from tools.real_blender_inside.watch import ask, seen, sidebar, state, viewport, wait

# The F12 key's X code: by name xdotool also presses Alt on some keyboards.
F12 = "96"
FRAMES = Path("/tmp/rome-frames")  # where the observer lets animations go
MOST_SECONDS = 0.1  # that one drawing of the viewport may keep the artist waiting
AGAIN_SECONDS = 4.0  # until the add-on asks a backend again that failed
LEAST_CHANGE = 0.004  # of the viewport's pixels, when a mouth opens


def set_up_render(screen: Screen) -> None:
    """The add-on's engine and the photo's view, by the buttons of the Render section."""
    turn(screen, "Expression")
    turn(screen, "Render")
    for button in ("Render With ROME", "Photo's View"):
        screen.click(screen.find(button, sidebar))
    wait("the engine", lambda now: now["engine"] == "ROME", 10.0)
    screen.save("08_render_section")


def preview(screen: Screen) -> None:
    """Rendered shading, chosen from the menu of the Z key, shows the head by the engine."""
    solid = screen.pixels(seen())
    over_viewport(screen)
    screen.press("z")
    screen.click(screen.find("Rendered", seen))
    wait("Rendered shading", lambda now: now["shading"] == "RENDERED", 10.0)
    rest(screen, seen)
    screen.save("09_preview_perspective")
    if difference(solid, screen.pixels(seen())) < LEAST_CHANGE:
        raise StepFailed("Rendered shading looks like Solid")


def preview_through_camera(screen: Screen) -> None:
    """Through the photo's camera the head lies over the photo, which is the camera's background."""
    before = screen.pixels(seen())
    ask("look through the camera")
    rest(screen, seen)
    screen.save("09_preview_through_camera")
    if difference(before, screen.pixels(seen())) < LEAST_CHANGE:
        raise StepFailed("the preview did not follow the view")


def preview_follows(screen: Screen) -> None:
    """The preview follows the viewport's view and a slider."""
    ask("look at the head")
    rest(screen, seen)
    screen.save("10_preview_near")
    before = screen.pixels(seen())
    turn(screen, "Render")
    turn(screen, "Expression")
    scroll(screen, 4)
    screen.drag(screen.find("Left", sidebar), 80)
    rest(screen, seen)
    changed = difference(before, screen.pixels(seen()))
    print(f"a slider changed {changed:.1%} of the previewed pixels", flush=True)
    screen.save("11_preview_slider")
    if changed < LEAST_CHANGE:
        raise StepFailed("the preview did not follow the slider")


def paint(screen: Screen) -> None:
    """Strokes on a texture of 4096 px show in the preview, and nobody waits for it."""
    ask("ready to paint")
    rest(screen, seen)
    before = screen.pixels(seen())
    x, y, width, height = seen()
    for part in (0.42, 0.5, 0.58):
        screen.drag((x + width * 0.42, y + height * part), round(width * 0.16))
    rest(screen, seen)
    screen.save("12_painted")
    took = state()["draws"]
    changed = difference(before, screen.pixels(seen()))
    print(f"strokes changed {changed:.1%} of the previewed pixels", flush=True)
    print(f"{len(took)} drawings while painting: longest {max(took):.4f} s", flush=True)
    ask("done painting")
    if changed < LEAST_CHANGE:
        raise StepFailed("the preview did not follow the brush")


def orthographic(screen: Screen) -> None:
    """The preview in an orthographic view, and how long drawing the viewport took in all."""
    ask("orthographic")
    rest(screen, seen)
    screen.save("12_preview_orthographic")
    took = state()["draws"]
    middle, longest = statistics.median(took), max(took[1:])
    times = f"first {took[0]:.4f} s, median {middle:.4f} s, longest of the others {longest:.4f} s"
    print(f"{len(took)} drawings: {times}", flush=True)
    if middle > MOST_SECONDS:
        raise StepFailed("drawing the viewport keeps the artist waiting")


def lost_backend(screen: Screen) -> None:
    """Without a backend the viewport says so in words; with one again it shows the head."""
    shown = screen.pixels(seen())
    ask("lose the backend")
    screen.find("There is no Python at", viewport)
    screen.save("12_preview_without_backend")
    time.sleep(AGAIN_SECONDS)
    ask("find the backend")
    rest(screen, seen)
    if difference(shown, screen.pixels(seen())) > LEAST_CHANGE:
        raise StepFailed("the preview did not come back")


def render(screen: Screen) -> None:
    """F12 renders with the add-on's engine."""
    over_viewport(screen)
    screen.press(F12)
    wait("the render", lambda now: now["renders"] > 0, 60.0)
    rest(screen, lambda: SCREEN)
    screen.save("13_render")
    screen.press("Escape")


def animate(screen: Screen) -> None:
    """Ctrl-F12 writes the five frames of an animation."""
    ask("five frames")
    before = state()["renders"]
    over_viewport(screen)
    screen.press(f"ctrl+{F12}")
    wait("the animation", lambda now: now["renders"] > before, 120.0)
    rest(screen, lambda: SCREEN)
    screen.save("14_animation")
    found = sorted(path.name for path in FRAMES.glob("*.png"))
    print("frames:", ", ".join(found), flush=True)
    if len(found) != 5:
        raise StepFailed(f"the animation wrote {len(found)} frames")
    screen.press("Escape")


def browse_assets(screen: Screen) -> None:
    """The head, marked as an asset, shows in the Asset Browser with its picture."""
    scroll(screen, -30)
    turn(screen, "Identity")
    screen.click(reveal(screen, "Mark as Asset"))
    wait("the asset", lambda now: now["assets"], 60.0)
    ask("asset browser")
    rest(screen, lambda: SCREEN)
    screen.save("18_asset_browser")
