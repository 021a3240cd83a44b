# SPDX-License-Identifier: Apache-2.0
"""Losses of the mesh: how smooth its offsets are, how far its landmarks lie.

Does not know pictures or head models.

Source: paper section 3.4, L_lap; rome-spec section 4. Landmarks are the release's addition.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from training.losses.form import Form, is_released

# The release's weights of the 68: 3 at the nose's tip and wings and the corners of the mouth.
LANDMARK_WEIGHTS = tuple(
    3.0 if at in (30, 31, 35, 48, 54)
    else 2.0 if at in (5, 6, 10, 11)
    else 1.5 if 27 <= at < 36 or at >= 48
    else 1.0
    for at in range(68)
)  # fmt: skip


@dataclass(frozen=True)
class Neighbours:
    """Which vertices share an edge: vertex (E,) i64, other (E,) i64, both directions of each
    edge once; degree (V,) f32, 1 where there is no neighbour."""

    vertex: torch.Tensor
    other: torch.Tensor
    degree: torch.Tensor

    def to(self, device: torch.device) -> Neighbours:
        """Return the same on a device."""
        return Neighbours(*(each.to(device) for each in (self.vertex, self.other, self.degree)))


def neighbours(faces: torch.Tensor, vertex_count: int) -> Neighbours:
    """Return who is whose neighbour on a mesh with faces (F, 3) integer."""
    corners = faces.long()
    edges = torch.cat([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    both = torch.cat([edges, edges.flip(1)])
    pairs = torch.unique(both[:, 0] * vertex_count + both[:, 1])
    vertex, other = pairs // vertex_count, pairs % vertex_count
    degree = torch.bincount(vertex, minlength=vertex_count).clamp_min(1).float()
    return Neighbours(vertex, other, degree)


def laplacian(offsets: torch.Tensor, around: Neighbours, form: Form = "paper") -> torch.Tensor:
    """Return how far offsets (N, V, 3) m are from the mean of their neighbours', in the mean.

    paper: the L1 norm of each vertex's difference; released: its L2 norm.
    """
    total = torch.zeros_like(offsets).index_add(1, around.vertex, offsets[:, around.other])
    present = torch.zeros_like(around.degree).index_fill(0, around.vertex, 1.0)
    rows = total / around.degree[:, None] - offsets * present[:, None]
    return torch.linalg.vector_norm(rows, 2 if is_released(form) else 1, dim=-1).mean()


def landmarks(found: torch.Tensor, wanted: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean distance of landmarks (N, L, 2), weights (L,), L1 per coordinate."""
    each = (found - wanted).abs().mean(-1)
    return (each * weights).sum(-1).mean() / weights.sum()
