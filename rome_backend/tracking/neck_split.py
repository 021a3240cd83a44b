# SPDX-License-Identifier: Apache-2.0
"""Divides a head's turn in a photo between the neck and the shoulders below it.

Does not know landmarks: the head stays exactly where a fit has put it.

A fit turns head and shoulders as one. People keep their shoulders nearly level and turn about half
of the way with them (our own prior); where the matte shows a shoulder line, it has its say.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from rome_backend.core.skinning import posed_vertices, regress_joints, shape_vertices
from rome_backend.core.types import F64, JOINTS, FaceFit, HeadCrop, HeadModel, Mask
from rome_backend.render.rasterizer import Rasterizer, TorchRasterizer
from rome_backend.tracking.matte_field import MatteField
from rome_backend.tracking.outline import SquareView

LARGEST_TURN = np.radians(30.0)
_YAW_SHARE = 0.5
_SIZE = 128
# Shoulders that lean (degrees) and what a degree squared costs, in parts of the seen area (m^2).
_ROLLS = np.arange(-12.0, 12.1, 4.0)
_LEANING = 0.0007
_SEEN = 0.042
_BELOW_CHIN = 0.12
_STIFF = 1e-4  # m: a face that its neck moves by more cannot be divided


def split_neck(
    head: HeadModel, fit: FaceFit, crop: HeadCrop, rasterizer: Rasterizer | None = None
) -> FaceFit:
    """Return the fit with its turn divided: root and neck turn against each other.

    fit is in px of the crop and has neither root nor neck turned; its camera and head stay, the
    neck bends by at most 30 degrees. A head model whose face bends with its neck is returned as
    it came.
    """
    scene = _Shoulders(head, fit, crop, rasterizer or TorchRasterizer())
    leaning = min(_ROLLS, key=lambda roll: scene.cost(float(roll)))
    divided = scene.divided(float(leaning))
    face = head.weights[:, JOINTS.index("jaw") :].sum(axis=1) > 0.5
    moved = posed_vertices(head, divided.params) - posed_vertices(head, fit.params)
    return divided if np.abs(moved[face]).max() < _STIFF else fit


def with_torso(head: HeadModel, fit: FaceFit, torso: F64) -> FaceFit:
    """Return the fit with its shoulders turned by torso (3, 3), to the view, and the head kept.

    The neck takes the difference, up to 30 degrees; root turn and translation make up for it.
    """
    turn = Rotation.from_matrix(torso.T @ fit.rotation).as_rotvec()
    angle = float(np.linalg.norm(turn))
    turn *= min(1.0, LARGEST_TURN / max(angle, 1e-9))
    joints = regress_joints(head, shape_vertices(head, fit.params.shape))
    root, neck = (joints[JOINTS.index(name)] for name in ("root", "neck"))
    placed = Rotation.from_rotvec(-turn).apply(neck - root) + root
    params = replace(fit.params, rotation=-turn, neck=turn, translation=neck - placed)
    return replace(fit, params=params)


class _Shoulders:
    """The lower part of one photo's matte and the shoulders of one fitted head in front of it."""

    def __init__(
        self, head: HeadModel, fit: FaceFit, crop: HeadCrop, rasterizer: Rasterizer
    ) -> None:
        self._head, self._fit, self._rasterizer = head, fit, rasterizer
        size = min(_SIZE, crop.matte.shape[0])
        self._view = SquareView(fit, crop.matte.shape[0], size)
        field = MatteField(crop.matte, crop.valid, size)
        self._person: Mask = np.asarray(field.person) > 0.5
        jaw = head.weights[:, JOINTS.index("jaw")] > 0.7
        chin = self._view.project(posed_vertices(head, fit.params)[jaw])[:, 1].max()
        rows = np.arange(size)[:, None] + 0.5
        reach = _BELOW_CHIN * self._view.scale
        self._counted: Mask = (rows > chin) & (rows < chin + reach) & np.asarray(field.known, bool)

    def divided(self, roll: float) -> FaceFit:
        """Return the fit with shoulders that lean by roll degrees in the picture."""
        fit = self._fit
        angles = [_YAW_SHARE * fit.yaw, fit.pitch, roll]
        return with_torso(
            self._head, fit, Rotation.from_euler("YXZ", angles, degrees=True).as_matrix()
        )

    def cost(self, roll: float) -> float:
        """Return what speaks against shoulders that lean by roll degrees."""
        vertices = posed_vertices(self._head, self.divided(roll).params)
        drawn = self._view.silhouette(vertices, self._head.faces, self._rasterizer)
        wrong = ((drawn != self._person) & self._counted).sum() / self._view.scale**2
        return float(wrong) / _SEEN + _LEANING * roll**2
