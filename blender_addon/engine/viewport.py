# SPDX-License-Identifier: GPL-3.0-or-later
"""The ROME engine in viewports with Rendered shading: reads, shows, and redraws what has come.

Does not know the backend or how a frame is put on the screen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakSet

import bpy
import numpy as np

from ..core_access import Camera, RomeError
from .camera import FrameView
from .heads import FrameHead, read_heads
from .pixels import scene_linear_matrix
from .preview import Preview, Wanted
from .renderer import look_of

ENGINE = "ROME"
LOOK_EVERY = 0.02
REST = 4.0  # between two readings of the scene, in times of how long one took
UNEXPECTED = "Something went wrong that should not have; the console has the details"


@dataclass(eq=False)
class Viewport:
    """One viewport: what was read of the scene, what is asked for, what is shown.

    changed: the scene is no longer what was read; problem: why it could not be read, in words.
    picture: engine.picture's, made by the first drawing: there is nothing to draw with before.
    """

    preview: Preview = field(default_factory=Preview)
    changed: bool = True
    problem: str = ""
    picture: Any = None
    heads: tuple[FrameHead, ...] = ()
    _local: bool = False
    _read_again_at: float = 0.0

    def read(self, context: bpy.types.Context, depsgraph: bpy.types.Depsgraph, now: float) -> None:
        """Read the heads that this viewport shows, if they may have changed.

        A scene that takes long to read, as with a large texture that was painted on, is read less
        often, so that most of the time is left to whoever works in it.
        """
        self._improve()
        local = context.space_data.local_view is not None
        if not (self.changed or local != self._local) or now < self._read_again_at:
            return
        start = time.perf_counter()
        self.changed, self._local, self.problem = False, local, UNEXPECTED
        try:
            self.heads = tuple(read_heads(depsgraph, shown_in(context.space_data)))
            self.problem = ""
        except RomeError as error:
            self.problem = str(error)
        finally:
            self._read_again_at = now + REST * (time.perf_counter() - start)

    def _improve(self) -> None:
        """Give the heads the better textures that have come."""
        heads = list(self.heads)
        for index, head in enumerate(heads):
            if head.has_better() and head.texture.better is not None:
                better = head.texture.better.result()
                self.changed = self.changed or better is None
                heads[index] = head.with_texture(better or replace(head.texture, better=None))
        self.heads = tuple(heads)

    def line(self) -> str:
        """Return what a person should read above the picture; "" when there is nothing to say."""
        return self.problem or self.preview.line()

    def is_due(self, now: float) -> bool:
        """Return whether drawing the viewport again would show something new."""
        if self.changed:
            return now >= self._read_again_at
        return not self.problem and (
            any(head.has_better() for head in self.heads) or self.preview.is_due(now)
        )

    def is_busy(self) -> bool:
        """Return whether something will be due without anybody's doing."""
        waits = any(head.texture.better is not None for head in self.heads)
        return self.changed or (not self.problem and (waits or self.preview.is_busy()))


_viewports: WeakSet[Viewport] = WeakSet()


def new_viewport() -> Viewport:
    """Return a viewport that is looked after as long as somebody holds it."""
    viewport = Viewport()
    _viewports.add(viewport)
    return viewport


def shown_in(
    space: bpy.types.SpaceView3D,
) -> Callable[[bpy.types.DepsgraphObjectInstance], bool]:
    """Return what says whether a viewport shows an instance: local view, local collections."""

    def is_shown(instance: bpy.types.DepsgraphObjectInstance) -> bool:
        owner = instance.parent if instance.is_instance and instance.parent else instance.object
        return owner.original.visible_in_viewport_get(space)

    return is_shown


def region_view(region: bpy.types.Region, data: bpy.types.RegionView3D) -> FrameView:
    """Return what a viewport's region sees: through the camera or free, near and far clips too."""
    world_to_view = np.array(data.view_matrix, dtype=np.float64)
    world_to_clip = np.array(data.window_matrix, dtype=np.float64) @ world_to_view
    return FrameView(Camera(world_to_clip, region.width, region.height), world_to_view)


def update(viewport: Viewport, context: bpy.types.Context, depsgraph: bpy.types.Depsgraph) -> None:
    """Read the scene where it changed and ask for what is to be seen; never waits."""
    now = time.monotonic()
    viewport.read(context, depsgraph, now)
    if not viewport.problem:
        view = region_view(context.region, context.region_data)
        look = look_of(depsgraph.scene)
        viewport.preview.step(Wanted(viewport.heads, view, look), now)
    if viewport.is_busy():
        keep_looking()


def draw(engine: bpy.types.RenderEngine, viewport: Viewport) -> None:
    """Draw the newest frame there is, and say what there is to say."""
    preview, line = viewport.preview, viewport.line()
    engine.update_stats(ENGINE if line else "", line)
    if viewport.problem or preview.problem:
        return
    if preview.frame is None or preview.frame.combined is None:
        return
    if viewport.picture is None:
        from .picture import Picture  # a Blender without a window has nothing to draw with

        viewport.picture = Picture()
    viewport.picture.draw(preview.frame.combined, preview.number, scene_linear_matrix())


def look() -> float | None:
    """Have viewports drawn again for which something has come; return when to look again.

    Run by a timer on the main thread; None ends it.
    """
    now = time.monotonic()
    viewports = list(_viewports)
    if any(viewport.is_due(now) for viewport in viewports):
        redraw(bpy.context.window_manager)
    return LOOK_EVERY if any(viewport.is_busy() for viewport in viewports) else None


def keep_looking() -> None:
    """Start the timer that looks, unless it runs."""
    if not bpy.app.background and not bpy.app.timers.is_registered(look):
        bpy.app.timers.register(look, first_interval=LOOK_EVERY)


def redraw(manager: bpy.types.WindowManager) -> None:
    """Have every viewport with our pixels drawn again."""
    for window in manager.windows:
        if window.scene.render.engine != ENGINE:
            continue
        for area in window.screen.areas:
            if area.type == "VIEW_3D" and area.spaces.active.shading.type == "RENDERED":
                for region in area.regions:
                    if region.type == "WINDOW":
                        region.tag_redraw()


CLASSES = ()


def register() -> None:
    """Nothing is looked for until a viewport is drawn."""


def unregister() -> None:
    """End the timer."""
    if bpy.app.timers.is_registered(look):
        bpy.app.timers.unregister(look)
    _viewports.clear()
