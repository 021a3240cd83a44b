# SPDX-License-Identifier: Apache-2.0
"""Fit hair, neck and shoulder offsets to the outline of a person in a photo.

Does not know how the matte or the basis were made.

Method (our own, after the prototype): outline vertices look along their normal for the matte's
contour; a few rounds of bounded ridge least squares in the linear basis follow it coarsely, then
smooth free offsets (thin-plate bending energy on the mesh) take what the basis cannot say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import splu

from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import (
    F32,
    F64,
    JOINTS,
    FaceFit,
    HeadCrop,
    HeadModel,
    Mask,
    OffsetBasis,
)
from rome_backend.open_head.laplacian import bilaplacian
from rome_backend.render.rasterizer import Rasterizer, TorchRasterizer
from rome_backend.tracking.bounded import descend
from rome_backend.tracking.matte_field import MatteField
from rome_backend.tracking.offset_priors import (
    basis_prior,
    beside_jaw,
    outline_trust,
    seam_closed,
)
from rome_backend.tracking.outline import Outline, SquareView, find_outline, head_iou

_SIZE = 256
_BASIS_ROUNDS = 5
_FREE_ROUNDS = 4
_LIMIT = 3.0
# Noise of an outline point for the basis (m): hair edges are soft, neighbours repeat each other.
_SIGMA = 0.010
# The contour may lie this far inside or outside the surface (m).
_REACH = (0.03, 0.09)
# Beyond this yaw (degrees) one side of the hair hides behind the face.
_HALF_SEEN = 12.0
# Hair never presses the skull in by more.
_DEEPEST = 0.008
_FREE_STEP = 0.8
_BENDING = 0.4
_DAMPING = 2e-4
# The neck moves less easily; what is further away (m) is not its own outline.
_NECK_DAMPING = 0.3
_NECK_REACH = 0.03


@dataclass(frozen=True)
class OffsetFit:
    """Fitted offsets: coefficients (60,) f32 in [-3, 3]; free (V, 3) f32 m: what the basis
    cannot say; offsets (V, 3) f32 m: basis mean + dirs . coefficients + free; iou: of the rendered
    head with the matte above the shoulders."""

    coefficients: F32
    free: F32
    offsets: F32
    iou: float


def fit_offsets(
    head: HeadModel,
    basis: OffsetBasis,
    fit: FaceFit,
    crop: HeadCrop,
    rasterizer: Rasterizer | None = None,
) -> OffsetFit:
    """Fit a head's offsets to the matte of its crop.

    ``fit`` is in px of the crop. Where ``crop.valid`` is False nothing is concluded. Deterministic.
    """
    scene = _Scene(head, basis, fit, crop, rasterizer or TorchRasterizer())
    coefficients = np.zeros(basis.dirs.shape[2])
    for _ in range(_BASIS_ROUNDS):
        coefficients = scene.basis_round(coefficients)
    linear = scene.linear(coefficients)
    free = np.zeros_like(linear)
    for _ in range(_FREE_ROUNDS):
        free = scene.free_round(linear, free)
    free = seam_closed(head, linear + free, scene.short) - linear
    offsets = linear + free
    return OffsetFit(
        coefficients.astype(np.float32),
        free.astype(np.float32),
        offsets.astype(np.float32),
        scene.iou(offsets),
    )


def silhouette_iou(
    head: HeadModel,
    fit: FaceFit,
    crop: HeadCrop,
    offsets: F32 | F64 | None = None,
    rasterizer: Rasterizer | None = None,
) -> float:
    """Return the IoU of a posed head with the crop's matte above the shoulders, in [0, 1].

    ``fit`` is in px of the crop; unknown pixels do not count. The shoulders begin 3 cm below the
    chin in the picture.
    """
    view = SquareView(fit, crop.matte.shape[0], min(_SIZE, crop.matte.shape[0]))
    field = MatteField(crop.matte, crop.valid, view.size)
    vertices = posed_vertices(head, fit.params, offsets)
    bottom = _shoulder_row(head, vertices, view)
    return head_iou(vertices, head.faces, bottom, view, field, rasterizer or TorchRasterizer())


def _shoulder_row(head: HeadModel, vertices: F64, view: SquareView) -> float:
    """Return the row in px 3 cm below the lowest point that moves with the jaw."""
    jaw = head.weights[:, JOINTS.index("jaw")] > 0.7
    chin = vertices[jaw] if jaw.any() else vertices
    return float(view.project(chin)[:, 1].max() + 0.03 * view.scale)


class _Scene:
    """One photo's matte with one fitted head in front of it."""

    def __init__(
        self,
        head: HeadModel,
        basis: OffsetBasis,
        fit: FaceFit,
        crop: HeadCrop,
        rasterizer: Rasterizer,
    ) -> None:
        self.head, self.basis, self.fit, self.rasterizer = head, basis, fit, rasterizer
        self.view = SquareView(fit, crop.matte.shape[0], min(_SIZE, crop.matte.shape[0]))
        self.field = MatteField(crop.matte, crop.valid, self.view.size)
        self.base = posed_vertices(head, fit.params)
        self.hair: Mask = np.asarray(head.regions["hair"])
        self.neck: Mask = np.asarray(head.regions["neck"])
        self.movable = self.hair | self.neck
        self.trust = outline_trust(head)
        self.short = 1 - self._long_hair()
        self.prior_matrix, self.prior_right = basis_prior(head, basis, self.short)
        self._energy: csr_matrix | None = None

    def _long_hair(self) -> float:
        """Return 0 .. 1: whether the person goes on beside the jaw, where long hair hangs."""
        points = beside_jaw(self.head)
        if abs(self.fit.yaw) > _HALF_SEEN:
            # the turned-away side lies behind the face
            points = points[np.sign(points[:, 0]) == -np.sign(self.fit.yaw)]
        share = self.field.person_share(self.view.project(points)[:, :2])
        return float(np.clip((share - 0.3) / 0.4, 0.0, 1.0))

    def linear(self, coefficients: F64) -> F64:
        """Return the basis' offsets (V, 3) m."""
        return self.basis.mean.astype(np.float64) + self.basis.dirs @ coefficients

    def iou(self, offsets: F64) -> float:
        """Return the IoU above the shoulders with these offsets (V, 3)."""
        vertices = posed_vertices(self.head, self.fit.params, offsets)
        bottom = _shoulder_row(self.head, vertices, self.view)
        return head_iou(vertices, self.head.faces, bottom, self.view, self.field, self.rasterizer)

    def outline(self, offsets: F64) -> Outline:
        """Return the outline of the head with these offsets (V, 3) and its gaps."""
        # hair and neck hardly move with the jaw: offsets are added after posing
        vertices = self.base + offsets
        found = find_outline(
            vertices,
            self.head.faces,
            self.movable,
            self.view,
            self.field,
            self.rasterizer,
            _REACH,
        )
        # never further into the skull than _DEEPEST
        depth = np.einsum("nx,nx->n", offsets[found.vertices], found.normals)
        gaps = np.maximum(found.gaps, -_DEEPEST - depth)
        own = ~self.neck[found.vertices] | (np.abs(depth + gaps) < _NECK_REACH)
        return Outline(found.vertices[own], found.normals[own], gaps[own])

    def basis_round(self, coefficients: F64) -> F64:
        """Return the coefficients (60,) after one look at the outline."""
        seen = self.outline(self.linear(coefficients))
        if not len(seen.vertices):
            return coefficients
        rows = np.einsum("nx,nxk->nk", seen.normals, self.basis.dirs[seen.vertices])
        target = seen.gaps + rows @ coefficients
        # Cauchy weights: a contour that is far off may be another object's
        trust = 1 / (1 + (seen.gaps / 0.03) ** 2)
        trust = trust * self.trust[seen.vertices] / _SIGMA**2
        matrix = (rows * trust[:, None]).T @ rows + self.prior_matrix
        right = (rows * trust[:, None]).T @ target + self.prior_right
        limit = np.full(len(coefficients), _LIMIT)
        return descend(matrix, right, -limit, limit, sweeps=20)

    def free_round(self, linear: F64, free: F64) -> F64:
        """Return the free offsets (V, 3) after one look at the outline."""
        seen = self.outline(linear + free)
        if not len(seen.vertices):
            return free
        region = np.flatnonzero(self.movable)
        place = np.full(len(linear), -1)
        place[region] = np.arange(len(region))
        weight = self.trust[seen.vertices]
        rows = place[seen.vertices]
        step = _FREE_STEP * seen.gaps[:, None] * seen.normals
        right = np.zeros((len(region), 3))
        np.add.at(right, rows, weight[:, None] * (free[seen.vertices] + step))
        diagonal = _DAMPING + _NECK_DAMPING * (1 - self.trust[region])
        np.add.at(diagonal, rows, weight)
        energy = self._region_energy(region)
        moved = np.zeros_like(free)
        moved[region] = splu((_BENDING * energy + diags(diagonal)).tocsc()).solve(right)
        return moved

    def _region_energy(self, region: NDArray[np.integer]) -> csr_matrix:
        """Return the bending energy of the movable vertices; the others count as zero."""
        if self._energy is None:
            energy = bilaplacian(self.head.template.astype(np.float64), self.head.faces)
            self._energy = csr_matrix(energy[region][:, region])
        return self._energy
