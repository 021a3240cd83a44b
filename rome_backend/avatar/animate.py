# SPDX-License-Identifier: Apache-2.0
"""Poses an avatar: its own shape and offsets, somebody's expression and pose.

Does not know pictures, files or Blender; no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rome_backend.avatar.avatar import require_head_model
from rome_backend.core.errors import UsageError
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import F64, Avatar, DrivingFrame, FlameParams, HeadModel


def avatar_vertices(avatar: Avatar, head: HeadModel, params: FlameParams | None = None) -> F64:
    """Return the avatar's vertices (V, 3) f64 m in head space.

    Args:
        params: expression and pose to take; its shape is ignored, identity stays in the avatar.
            None gives the neutral head.

    Joints are regressed from the neutral shape, as in every rig we export.
    Raises FileInvalid (`topology_mismatch`) for another head model.
    """
    require_head_model(avatar, head)
    wanted = avatar.params.neutral() if params is None else params
    own = replace(wanted, shape=avatar.params.shape)
    return posed_vertices(head, own, avatar.offsets, joints_from="neutral")


def frame_vertices(avatar: Avatar, head: HeadModel, frame: DrivingFrame) -> F64:
    """Return the avatar's vertices (V, 3) f64 m in world space for one driving frame."""
    params = FlameParams(
        avatar.params.shape, frame.expression, neck=frame.neck, jaw=frame.jaw, eyes=frame.eyes
    )
    vertices = avatar_vertices(avatar, head, params)
    return vertices @ frame.head_to_world[:3, :3].T + frame.head_to_world[:3, 3]


def expression_params(
    avatar: Avatar, head: HeadModel, values: Mapping[str, float], jaw_deg: float = 0.0
) -> FlameParams:
    """Return the avatar's neutral parameters with named expressions set.

    Args:
        values: ARKit name -> value, usually 0..1; jaw_deg: opening of the jaw bone in degrees.

    Raises UsageError (`unknown_expression`) for a name the head model does not have.
    """
    expression = np.zeros(len(head.expression_names))
    for name, value in values.items():
        if name not in head.expression_names:
            raise UsageError(
                "unknown_expression",
                f"The head model {head.name!r} has no expression {name!r}.",
                f"It has: {', '.join(head.expression_names)}.",
            )
        expression[head.expression_names.index(name)] = value
    neutral = avatar.params.neutral()
    return replace(neutral, expression=expression, jaw=np.array([np.radians(jaw_deg), 0.0, 0.0]))
