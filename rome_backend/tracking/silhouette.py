# SPDX-License-Identifier: Apache-2.0
"""Fit hair, neck and shoulder offsets to what a photo shows round a head.

Does not know how the matte or the basis were made.

Method (our own): hair is measured on the photo and laid over the scalp in one surface
(`hair_measure`, `drape`); then outline vertices look along their normal for the matte's contour:
the neck's few directions follow by bounded least squares, small smooth free offsets (thin-plate
bending energy on the mesh) take the rest. Coefficients are what the basis can say of the result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import splu

from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.skinning import joint_transforms, posed_vertices
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
from rome_backend.open_head.drape import lay_out, raise_hair
from rome_backend.open_head.hair_chart import sample
from rome_backend.open_head.laplacian import bilaplacian
from rome_backend.open_head.scalp import build_scalp
from rome_backend.open_head.surface_distance import surface_distance
from rome_backend.render.rasterizer import Rasterizer, TorchRasterizer
from rome_backend.tracking.bounded import descend
from rome_backend.tracking.hair_mask import EAR, find_hair, seen_regions
from rome_backend.tracking.hair_measure import measure_hair
from rome_backend.tracking.hair_rays import Seen
from rome_backend.tracking.matte_field import MatteField
from rome_backend.tracking.offset_priors import outline_trust, seam_closed
from rome_backend.tracking.outline import Outline, SquareView, find_outline, head_iou

_SIZE = 256
_NECK_ROUNDS = 3
_FREE_ROUNDS = 3
_LIMIT = 3.0
# Noise of an outline point for the basis (m): edges are soft, neighbours repeat each other.
_SIGMA = 0.010
# Noise (m) with which the basis repeats the fitted offsets.
_REPEATED = 0.004
# The contour may lie this far inside or outside the surface (m).
_REACH = (0.03, 0.05)
# Near its hem and front edges (m) hair does not follow the outline.
_LAID = 0.04
# A bare scalp whose outline stands off by less (m on average) has no hair at all.
_THIN = 0.001
# Hair never presses the skull in by more.
_DEEPEST = 0.008
_FREE_STEP = 0.8
_BENDING = 0.4
_DAMPING = 2e-4
# The neck moves less easily, and by less standard deviations; the further away (m) an outline, the
# less it is believed to be the neck's, and at last not at all.
_NECK_DAMPING = 0.3
_NECK_LIMIT = 2.0
_NECK_DOUBT = 0.04
_NECK_REACH = 0.05
# Hair that hangs was measured; it follows small gaps (m) only, and stiffly.
_SMALL = 0.012
_HANGING_DAMPING = 0.02


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
    hair, hanging = scene.hair_offsets()
    neck = np.zeros(basis.dirs.shape[2])
    for _ in range(_NECK_ROUNDS):
        neck = scene.neck_round(hair, neck)
    placed = hair + scene.neck_linear(neck)
    free = np.zeros_like(placed)
    for _ in range(_FREE_ROUNDS):
        free = scene.free_round(placed, free)
    offsets = seam_closed(head, placed + free, 1 - hanging)
    coefficients = scene.coefficients(offsets)
    linear = scene.linear(coefficients)
    return OffsetFit(
        coefficients.astype(np.float32),
        (offsets - linear).astype(np.float32),
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


def _vertex_turns(head: HeadModel, fit: FaceFit) -> F64:
    """Return how skinning turns what is added to each vertex: (V, 3, 3), blended rotations."""
    rotations = rotation_matrices(fit.params.pose())
    worlds, _ = joint_transforms(np.zeros((len(rotations), 3)), rotations, head.parents)
    return np.einsum("vk,kij->vij", head.weights.astype(np.float64), worlds)


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
        self.crop = crop
        self.view = SquareView(fit, crop.matte.shape[0], min(_SIZE, crop.matte.shape[0]))
        self.field = MatteField(crop.matte, crop.valid, self.view.size)
        self.base = posed_vertices(head, fit.params)
        self.turns = _vertex_turns(head, fit)
        self.hair: Mask = np.asarray(head.regions["hair"])
        self.neck: Mask = np.asarray(head.regions["neck"])
        self.movable = self.hair | self.neck
        self.trust = outline_trust(head)
        self.loose = np.zeros(len(self.base))
        self._energy: csr_matrix | None = None

    def hair_offsets(self) -> tuple[F64, float]:
        """Return the offsets (V, 3) m of the hair that is seen, and 1 if it hangs, else 0."""
        head, view = self.head, self.view
        regions = seen_regions(head, self.base, view, self.rasterizer)
        mask = find_hair(head, self.base, view, self.crop, self.field.person, regions)
        ears = regions == EAR
        scalp = build_scalp(head, self.base)
        seen = Seen(self.field.person, mask.hair, self.field.known, ears, mask.cover)
        shape = measure_hair(scalp, view, seen)
        if shape is None:
            unknown = np.zeros_like(self.base)
            unknown[self.hair] = self.basis.mean[self.hair]
            return unknown, 0.0
        layout = lay_out(scalp, shape.curtains)
        thickness = sample(shape.outer - scalp.bare, scalp.flat)
        if mask.bald and float(thickness.mean()) < _THIN:
            return np.zeros_like(self.base), 0.0
        offsets = np.zeros_like(self.base)
        offsets[scalp.vertices] = raise_hair(scalp, layout, thickness, shape.outer)
        # hems and front edges stay where they were laid
        laid = layout.hanging * (1 - np.clip(layout.away / _LAID, 0, 1))
        self.trust[scalp.vertices] *= 1 - laid
        below = np.linalg.norm(layout.flat, axis=1) - scalp.chart.equator
        self.loose[scalp.vertices] = layout.hanging * np.clip(below / _LAID, 0, 1)
        if shape.curtains:
            # where hair hangs before it, the outline is not the neck's
            template = head.template.astype(np.float64)
            away = surface_distance(template, head.faces, self.hair) / _LAID
            self.trust *= np.where(self.neck, np.minimum(away, 1.0) ** 2, 1.0)
        return offsets, 1.0 if shape.curtains else 0.0

    def neck_linear(self, coefficients: F64) -> F64:
        """Return what the neck's directions say (V, 3) m.

        Without the basis' mean, which is half a coat: unseen necks are bare.
        """
        return self.neck[:, None] * (self.basis.dirs @ coefficients)

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
        offsets = np.einsum("vij,vj->vi", self.turns, offsets)
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
        own &= (self.loose[found.vertices] < 0.5) | (np.abs(gaps) < _SMALL)
        return Outline(found.vertices[own], found.normals[own], gaps[own])

    def neck_round(self, hair: F64, coefficients: F64) -> F64:
        """Return the coefficients (60,), those of the neck alone, after a look at the outline."""
        seen = self.outline(hair + self.neck_linear(coefficients))
        own = self.neck[seen.vertices]
        if not own.any():
            return coefficients
        vertices, normals, gaps = seen.vertices[own], seen.normals[own], seen.gaps[own]
        dirs = self.basis.dirs[vertices].astype(np.float64)
        rows = np.einsum("nx,nxy,nyk->nk", normals, self.turns[vertices], dirs)
        # Cauchy weights: a contour that is far off may be another object's
        trust = self.trust[vertices] / (1 + (gaps / _NECK_DOUBT) ** 2) / _SIGMA**2
        target = gaps + rows @ coefficients
        matrix = (rows * trust[:, None]).T @ rows + np.eye(rows.shape[1])
        limit = np.full(len(coefficients), _NECK_LIMIT)
        return descend(matrix, (rows * trust[:, None]).T @ target, -limit, limit, sweeps=20)

    def coefficients(self, offsets: F64) -> F64:
        """Return the coefficients (60,) that come nearest to offsets (V, 3) m."""
        dirs = self.basis.dirs.reshape(-1, self.basis.dirs.shape[2]).astype(np.float64)
        rest = (offsets - self.basis.mean).ravel()
        # directions are orthogonal, so each stands alone
        size = (dirs**2).sum(axis=0)
        best = dirs.T @ rest / (size + _REPEATED**2)
        return np.clip(best, -_LIMIT, _LIMIT)

    def free_round(self, linear: F64, free: F64) -> F64:
        """Return the free offsets (V, 3) after one look at the outline."""
        seen = self.outline(linear + free)
        if not len(seen.vertices):
            return free
        region = np.flatnonzero(self.movable)
        place = np.full(len(linear), -1)
        place[region] = np.arange(len(region))
        # collars are no necks: the neck has its directions and no more
        weight = self.trust[seen.vertices] * ~self.neck[seen.vertices]
        rows = place[seen.vertices]
        # a turn's inverse is its transpose, and offsets turn with their vertices
        normals = np.einsum("nij,ni->nj", self.turns[seen.vertices], seen.normals)
        step = _FREE_STEP * seen.gaps[:, None] * normals
        right = np.zeros((len(region), 3))
        np.add.at(right, rows, weight[:, None] * (free[seen.vertices] + step))
        diagonal = _DAMPING + _NECK_DAMPING * (1 - self.trust[region])
        diagonal += _HANGING_DAMPING * self.loose[region]
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
