# SPDX-License-Identifier: GPL-3.0-or-later
"""The ROME render engine: F12, animations, farms, and viewports in Rendered shading.

Does not know how heads are read, drawn or turned into passes, nor any panel.
"""

from __future__ import annotations

import bpy

from ..core_access import Cancelled, RomeError
from .camera import frame_view, scene_camera
from .frames import draw_frame
from .heads import heads_in
from .pixels import PASSES, pass_arrays, scene_linear_matrix
from .renderer import look_of, tell
from .viewport import ENGINE, Viewport, draw, new_viewport, update

UNEXPECTED = "ROME: something went wrong that should not have; the console has the details"


def wanted_passes(view_layer: bpy.types.ViewLayer) -> tuple[str, ...]:
    """Return the passes of a view layer: combined and mask always, the others as it says."""
    optional = {
        "depth": view_layer.use_pass_z,
        "uv": view_layer.use_pass_uv,
        "normal": view_layer.use_pass_normal,
    }
    return ("combined", "mask", *(name for name, wanted in optional.items() if wanted))


def is_stopped(engine: bpy.types.RenderEngine) -> bool:
    """Return whether somebody pressed Escape, or Ctrl-C in the background."""
    return engine.test_break()


class ROME_RenderEngine(bpy.types.RenderEngine):
    """Draws every ROME head of the scene, and nothing else, on a transparent ground."""

    bl_idname = ENGINE
    bl_label = "ROME"
    bl_use_preview = False
    bl_use_postprocess = True
    bl_use_eevee_viewport = True
    bl_use_shading_nodes_custom = False
    _viewport: Viewport | None = None  # each viewport has an engine of its own

    def update_render_passes(
        self, scene: bpy.types.Scene | None = None, renderlayer: bpy.types.ViewLayer | None = None
    ) -> None:
        """Say which passes the compositor can have."""
        for name in wanted_passes(renderlayer):
            self.register_pass(scene, renderlayer, *PASSES[name])

    def render(self, depsgraph: bpy.types.Depsgraph) -> None:
        """Draw one view layer of one frame.

        Only a reported error stops an animation and makes Blender exit with 1; an exception
        alone would leave black frames and success.
        """
        problem = UNEXPECTED
        try:
            self._draw(depsgraph)
            problem = ""
        except Cancelled:
            problem = ""
        except RomeError as error:
            problem = f"ROME: {error}"
        finally:
            if problem:
                self.report({"ERROR"}, problem)

    def _draw(self, depsgraph: bpy.types.Depsgraph) -> None:
        scene = depsgraph.scene
        self.update_stats("ROME", f"Frame {scene.frame_current} | Reading heads")
        heads = heads_in(depsgraph)
        if not heads:
            self.report({"WARNING"}, "ROME: no head is visible to the render in this view layer")
        view = frame_view(scene_camera(self, scene), scene, depsgraph)
        layer = depsgraph.view_layer
        self.update_progress(0.1)
        count = f"{len(heads)} head{'' if len(heads) == 1 else 's'}"
        self.update_stats("ROME", f"Frame {scene.frame_current} | Drawing {count}")
        look = look_of(scene)
        frame = draw_frame(heads, view, wanted_passes(layer), lambda: is_stopped(self), look)
        tell(frame)
        self.update_progress(0.9)
        arrays = pass_arrays(frame, scene_linear_matrix())
        result = self.begin_result(0, 0, view.camera.width, view.camera.height, layer=layer.name)
        passes = result.layers[0].passes
        for name, array in arrays.items():
            passes[name].rect.foreach_set(array)
        self.end_result(result)
        self.update_progress(1.0)

    def view_update(self, context: bpy.types.Context, depsgraph: bpy.types.Depsgraph) -> None:
        """Take note that the scene changed; it is read by the next drawing."""
        self._shown_in().changed = True

    def view_draw(self, context: bpy.types.Context, depsgraph: bpy.types.Depsgraph) -> None:
        """Draw the newest frame and ask for the next; Blender draws what lies over it."""
        viewport = self._shown_in()
        update(viewport, context, depsgraph)
        draw(self, viewport)

    def _shown_in(self) -> Viewport:
        if self._viewport is None:
            self._viewport = new_viewport()
        return self._viewport


CLASSES = (ROME_RenderEngine,)
