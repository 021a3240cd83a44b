# SPDX-License-Identifier: Apache-2.0
"""Chamfer distance of point sets in the picture, and of a mesh's visible vertices to a matte.

Does not know rasterizers; which vertices are visible is an argument.

Source: paper section 3.4, L_chm; rome-spec section 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from training.losses.form import Form, is_released

Points = Sequence[torch.Tensor]


def chamfer(first: Points, second: Points, form: Form = "paper") -> torch.Tensor:
    """Return the Chamfer distance of pairs of point sets, each (n, 2) and (m, 2), in the mean.

    paper: half the mean distance to the nearest point, both ways; released: the mean squared
    distances added. A pair with an empty set counts as 0. Raises ValueError without pairs.
    """
    if not first:
        raise ValueError("there are no point sets to compare")
    pairs = zip(first, second, strict=True)
    return torch.stack([_chamfer(a, b, is_released(form)) for a, b in pairs]).mean()


def _chamfer(first: torch.Tensor, second: torch.Tensor, squared: bool) -> torch.Tensor:
    if not len(first) or not len(second):
        return first.sum() * 0 + second.sum() * 0
    with torch.no_grad():
        apart = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")
        there, back = apart.argmin(1), apart.argmin(0)
    ways = (first - second[there], second - first[back])
    if squared:
        return torch.stack([way.square().sum(-1).mean() for way in ways]).sum()
    return torch.stack([torch.linalg.vector_norm(way, dim=-1).mean() for way in ways]).mean()


def silhouette_chamfer(
    points: torch.Tensor,
    visible: torch.Tensor,
    matte: torch.Tensor,
    draws: Sequence[torch.Generator],
    form: Form = "paper",
    most: int = 4096,
) -> torch.Tensor:
    """Return how far the visible vertices lie from the pixels of a matte.

    Args:
        points: (N, V, 2) image NDC, y down.
        visible: (N, V) bool, from the soft silhouette.
        matte: (N, 1, H, W); pixels above a half are the target.
        draws: one generator per picture, for which pixels are taken.
        form: paper: pixel centres, vertices drawn at random where there are more than pixels;
            released: pixel corners, and the first vertices in the mesh's order.
        most: of either set at most so many, which bounds the memory.
    """
    found, wanted = [], []
    for number, draw in enumerate(draws):
        seen = points[number][visible[number]]
        pixels = matte_points(matte[number, 0], form)
        count = min(len(seen), len(pixels), most)
        kept = torch.arange(count) if is_released(form) else _drawn(len(seen), count, draw)
        found.append(seen[kept.to(seen.device)])
        wanted.append(pixels[_drawn(len(pixels), count, draw).to(pixels.device)])
    return chamfer(found, wanted, form)


def matte_points(matte: torch.Tensor, form: Form = "paper") -> torch.Tensor:
    """Return the pixels of a matte (H, W) above a half as image NDC (n, 2), y down.

    paper: their centres; released: their upper left corners, half a pixel off.
    """
    rows, columns = torch.nonzero(matte > 0.5, as_tuple=True)
    shift = 0.0 if is_released(form) else 0.5
    height, width = matte.shape
    x = 2 * (columns + shift) / width - 1
    y = 2 * (rows + shift) / height - 1
    return torch.stack([x, y], -1).to(matte.dtype)


def _drawn(count: int, wanted: int, draw: torch.Generator) -> torch.Tensor:
    return torch.randperm(count, generator=draw)[:wanted]
