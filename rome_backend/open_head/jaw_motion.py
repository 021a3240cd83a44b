# SPDX-License-Identifier: Apache-2.0
"""How the face follows the jaw: its skin as ICT-FaceKit's, teeth and tongue with the bone.

Does not know skinning: it says where vertices belong, others make directions of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from rome_backend.core.types import F64
from rome_backend.open_head.geometry import HeadGeometry

JAW = 2
CHIN = 152
JAW_OPEN_DEGREES = 22.0


@dataclass(frozen=True)
class JawMotion:
    """Where the head's vertices go when the jaw turns.

    arm (V, 3) m: from the jaw joint; follow (V,): part of the jaw's angle that a vertex makes;
    slide (V, 3) m: how it slides besides when the jaw is open by `JAW_OPEN_DEGREES`.
    """

    arm: F64
    follow: F64
    slide: F64

    def moved(self, rotation: F64) -> F64:
        """Return the arms (V, 3) m after turning the jaw by an axis-angle vector (3,) rad."""
        turned = Rotation.from_rotvec(self.follow[:, None] * rotation).apply(self.arm)
        return np.asarray(turned + self.slide * rotation[0] / np.radians(JAW_OPEN_DEGREES))

    def opened(self) -> F64:
        """Return the displacements (V, 3) m of opening the jaw by `JAW_OPEN_DEGREES`."""
        return self.moved(np.array([np.radians(JAW_OPEN_DEGREES), 0.0, 0.0])) - self.arm


def jaw_motion(geometry: HeadGeometry, skin_move: F64, trust: F64) -> JawMotion:
    """Return the motion whose skin moves as skin_move (Vs, 3) m when the jaw opens.

    skin_move is scaled until the chin goes as far as the bone takes it. trust (Vs,): 1 where
    skin_move counts, 0 where the skinning weights do. Only the middle plane's part of a move is
    made a turn; the rest slides.
    """
    arm = geometry.vertices - geometry.joints[JAW]
    weight = geometry.weights[:, JAW].copy()
    angle = np.radians(JAW_OPEN_DEGREES)
    bone = Rotation.from_rotvec([angle, 0.0, 0.0])
    chin = np.linalg.norm(bone.apply(arm[CHIN]) - arm[CHIN]) / np.linalg.norm(skin_move[CHIN])
    move = np.zeros_like(arm)
    move[: len(skin_move)] = skin_move * chin
    ends = arm + move
    turned = np.arctan2(-ends[:, 1], ends[:, 2]) - np.arctan2(-arm[:, 1], arm[:, 2])
    turned = (turned + np.pi) % (2 * np.pi) - np.pi
    full = np.zeros(len(arm))
    full[: len(trust)] = trust
    size = np.linalg.norm(arm[:, 1:], axis=1)
    # Near the joint's axis angles say nothing.
    follow = np.clip(turned / angle, 0.0, 1.1) * np.clip((size - 0.01) / 0.02, 0.0, 1.0)
    follow = full * follow + (1 - full) * weight
    slide = ends - Rotation.from_rotvec(follow[:, None] * [angle, 0.0, 0.0]).apply(arm)
    return JawMotion(arm, follow, np.asarray(slide * full[:, None]))
