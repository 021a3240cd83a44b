# SPDX-License-Identifier: GPL-3.0-or-later
"""Photo's View: the scene renders a head as its photo showed it.

Does not know the engine: any engine renders through the camera.
"""

from __future__ import annotations

import bpy

from ..head.find import active_head
from ..rig.links import linked_part

LONG_SIDE = 1024


class ROME_OT_use_photo_view(bpy.types.Operator):
    """Make the head's own camera the scene's, with the shape of the photo."""

    bl_idname = "rome.use_photo_view"
    bl_label = "Photo's View"
    bl_description = "Render the head as its photo showed it: same view, same shape of the picture"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is a head whose camera is still in this scene."""
        head = active_head(context)
        if head is None:
            cls.poll_message_set("Select a head first")
            return False
        camera = linked_part(head, "camera")
        if camera is None or camera.name not in context.scene.objects:
            cls.poll_message_set("The head's camera is not in this scene")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set camera and resolution; a photo that is gone leaves the resolution as it is."""
        head = active_head(context)
        scene = context.scene
        scene.camera = linked_part(head, "camera")
        photo = linked_part(head, "photo")
        if photo is not None and min(photo.size) > 0:
            scale = LONG_SIDE / max(photo.size)
            settings = scene.render
            settings.resolution_x, settings.resolution_y = (round(scale * n) for n in photo.size)
            settings.resolution_percentage = 100
        return {"FINISHED"}


CLASSES = (ROME_OT_use_photo_view,)
