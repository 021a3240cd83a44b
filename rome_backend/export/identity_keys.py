# SPDX-License-Identifier: Apache-2.0
"""The rig's sliders of the identity, and where they take the joints.

Does not know avatars: the sliders are differences to whatever face they are added to.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rome_backend.core.identity_names import shape_key
from rome_backend.core.skinning import regress_joints
from rome_backend.core.types import HeadModel, RigKey

LIMIT = 3.0
SHOWN_SHAPES = 10


def identity_keys(head: HeadModel) -> tuple[RigKey, ...]:
    """Return the keys, zero at the face they are added to and LIMIT standard deviations long.

    They are the head model's first SHOWN_SHAPES shape directions.
    """
    count = min(SHOWN_SHAPES, head.shape_dirs.shape[-1])
    return tuple(
        RigKey(
            shape_key(number + 1),
            np.ascontiguousarray(head.shape_dirs[..., number], np.float32),
            0.0,
            -LIMIT,
            LIMIT,
        )
        for number in range(count)
    )


def joint_moves(head: HeadModel, keys: Iterable[RigKey]) -> dict[str, list[float]]:
    """Return key -> how far value 1 moves the joints (K * 3), m, joint by joint.

    Joints are linear in the vertices, so this is the joint regressor of the key's delta.
    """
    return {key.name: np.round(regress_joints(head, key.delta).ravel(), 9).tolist() for key in keys}
