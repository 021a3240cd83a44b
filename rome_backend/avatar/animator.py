# SPDX-License-Identifier: Apache-2.0
"""Poses one avatar many times: what does not change from frame to frame is computed once.

Does not know pictures or files. avatar.animate is the oracle; the maths is core.skinning's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch

from rome_backend.avatar.avatar import require_head_model
from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.skinning import blended, regress_joints, shape_vertices, skin
from rome_backend.core.types import Avatar, FlameParams, HeadModel


class Animator:
    """An avatar's identity, offsets and joints with its head's directions, on one device.

    Raises FileInvalid (`topology_mismatch`) for another head model.
    """

    def __init__(self, avatar: Avatar, head: HeadModel, device: torch.device | str = "cpu") -> None:
        require_head_model(avatar, head)
        neutral = shape_vertices(head, avatar.params.shape)
        self._rest = _tensor(neutral + avatar.offsets, device)
        self._joints = _tensor(regress_joints(head, neutral), device)
        self._expressions = _tensor(head.expression_dirs, device)
        self._still = avatar.params.neutral()
        # skin() takes arrays of the namespace it is given
        self._head = replace(
            head,
            pose_dirs=cast(Any, _tensor(head.pose_dirs, device)),
            weights=cast(Any, _tensor(head.weights, device)),
        )

    def vertices(self, frames: Sequence[FlameParams | None]) -> torch.Tensor:
        """Return vertices (N, V, 3) f32 m in head space, as animate.avatar_vertices does.

        frames: expression and pose of each; shapes are ignored, None is the neutral head.
        """
        params = [frame or self._still for frame in frames]
        device, count = self._rest.device, len(params)
        values = np.zeros((count, self._expressions.shape[-1]))
        for row, each in zip(values, params, strict=True):
            row[: len(each.expression)] = each.expression
        expressed = self._rest + blended(self._expressions, _tensor(values, device), torch)
        turns = rotation_matrices(np.stack([each.pose() for each in params]))
        shifts = np.stack([each.translation for each in params])
        posed = skin(
            expressed,
            self._joints.expand(count, -1, -1),
            _tensor(turns, device),
            self._head,
            torch,
            _tensor(shifts, device),
        )
        return cast(torch.Tensor, posed)


def _tensor(array: Any, device: torch.device | str) -> torch.Tensor:
    return torch.as_tensor(np.asarray(array, np.float32), device=device)
