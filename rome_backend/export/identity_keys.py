# SPDX-License-Identifier: Apache-2.0
"""The rig's sliders of the identity, and where they take the joints.

Does not know avatars: the sliders are differences to whatever face they are added to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from rome_backend.core.identity_names import identity_key, shape_key
from rome_backend.core.skinning import regress_joints
from rome_backend.core.types import F32, HeadModel, RigKey
from rome_backend.open_head.build import NAME as OPEN_HEAD
from rome_backend.open_head.identity_sliders import identity_sliders

LIMIT = 3.0
SHOWN_SHAPES = 10


def identity_keys(head: HeadModel) -> tuple[RigKey, ...]:
    """Return the keys, zero at the face they are added to and LIMIT standard deviations long.

    The open head's bear plain names (open_head/identity_sliders.py); of any other head model
    they are its first SHOWN_SHAPES shape directions.
    """
    directions = _plain(head) if head.name == OPEN_HEAD else _own(head)
    return tuple(
        RigKey(name, np.ascontiguousarray(delta, np.float32), 0.0, -LIMIT, LIMIT)
        for name, delta in directions
    )


def _plain(head: HeadModel) -> Iterator[tuple[str, F32]]:
    for slider in identity_sliders(head):
        yield identity_key(slider.name), slider.displacement


def _own(head: HeadModel) -> Iterator[tuple[str, F32]]:
    for number in range(min(SHOWN_SHAPES, head.shape_dirs.shape[-1])):
        yield shape_key(number + 1), head.shape_dirs[..., number]


def joint_moves(head: HeadModel, keys: Iterable[RigKey]) -> dict[str, list[float]]:
    """Return key -> how far value 1 moves the joints (K * 3), m, joint by joint.

    Joints are linear in the vertices, so this is the joint regressor of the key's delta.
    """
    return {key.name: np.round(regress_joints(head, key.delta).ravel(), 9).tolist() for key in keys}
