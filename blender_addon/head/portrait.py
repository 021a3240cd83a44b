# SPDX-License-Identifier: GPL-3.0-or-later
"""A small picture of one head, drawn by the backend, for the Asset Browser.

Does not know operators. The head is drawn as it stands, sculpted, posed and painted, but alone and
from the front whatever the scene looks like.
"""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core_access import FrameReady, RenderFrame, RomeError, orbit
from ..engine.heads import FrameHead, read_head
from ..rig.properties import read_property
from .find import collection_of

SIDE = 256
YAW, PITCH = 20.0, 5.0
MARGIN = 1.1
TAGS = ("ROME", "head")


def drawable(head: bpy.types.Object, depsgraph: bpy.types.Depsgraph) -> FrameHead:
    """Return what the backend needs to draw a head; RomeError 'head_hidden' where it is hidden."""
    for instance in depsgraph.object_instances:
        if instance.object.original == head and not instance.is_instance:
            return read_head(instance)
    raise RomeError("head_hidden", f"{head.name} is hidden.", "Show it, then try again.")


def portrait_request(shown: FrameHead) -> RenderFrame:
    """Return the message that asks for the picture, in the head's own space."""
    to_head = np.linalg.inv(shown.head_to_world)
    points = shown.vertices.astype(np.float64) @ to_head[:3, :3].T + to_head[:3, 3]
    low, high = points.min(axis=0), points.max(axis=0)
    width, height, depth = high - low
    turn = np.radians(YAW)
    height = MARGIN * float(max(height, width * np.cos(turn) + depth * np.sin(turn)))
    camera = orbit((low + high) / 2.0, 2.0, YAW, PITCH, height, SIDE, SIDE)
    return RenderFrame(
        0,
        SIDE,
        SIDE,
        camera.world_to_clip,
        np.eye(4),
        (shown.surface_id,),
        (points.astype(np.float32),),
        (np.eye(4),),
    )


def mark_asset(head: bpy.types.Object, frame: FrameReady) -> bpy.types.ID:
    """Make the head's collection an asset with licences, tags and the picture; return it."""
    asset = collection_of(head) or head
    asset.asset_mark()
    facts = asset.asset_data
    licences = read_property(head, "licences", {})
    facts.description = "; ".join(f"{part}: {licence}" for part, licence in licences.items())
    facts.author = f"ROME {read_property(head, 'version', '')}".strip()
    for tag in (*TAGS, str(read_property(head, "head_model", ""))):
        if tag:
            facts.tags.new(tag, skip_if_exists=True)
    assert frame.combined is not None
    _set_preview(asset, frame.combined)
    return asset


def _set_preview(asset: bpy.types.ID, picture: NDArray[np.float32]) -> None:
    preview = asset.preview_ensure()
    preview.image_size = (picture.shape[1], picture.shape[0])
    # What came through the pipe names its byte order, which Blender does not take.
    preview.image_pixels_float.foreach_set(picture[::-1].astype(np.float32).ravel())
