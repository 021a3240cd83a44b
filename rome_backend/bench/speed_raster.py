# SPDX-License-Identifier: Apache-2.0
"""Times finding what pixels show: our rasterizers beside brute force and PyTorch3D.

Does not know heads or networks beyond the mesh it is given.
"""

from __future__ import annotations

import torch

from rome_backend.bench.brute_force import nearest_faces, soft_alpha
from rome_backend.bench.rounds import Ratio, Way, in_turns, ratio
from rome_backend.core.errors import AssetMissing
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.render.silhouette import RELEASED_SOFTNESS, soft_silhouette
from rome_backend.render.with_pytorch3d import PyTorch3DRasterizer

SIDE = 256
EVERY = 32  # brute force does 1 row in 32; each of its pixels costs the same

Timed = tuple[dict[str, Ratio | None], dict[str, list[float]]]


def bench_raster(vertices: torch.Tensor, faces: torch.Tensor, rounds: int) -> Timed:
    """Return ratios and seconds of rasterizing vertices (V, 3) image NDC, faces (F, 3), at 256.

    Ratios: raster_vs_bruteforce and soft_vs_bruteforce, forward and, for the soft one, backward;
    raster_vs_pytorch3d and soft_vs_pytorch3d, None where it is not installed. Brute force does a
    part of the rows; its seconds are those of the whole.
    """
    ours = TorchRasterizer()
    ways: dict[str, Way] = {
        "raster": lambda: ours.rasterize(vertices[None], faces, SIDE, SIDE),
        "soft": lambda: _both_ways(_ours(vertices, faces)),
    }
    peer = _pytorch3d()
    if peer is not None:
        ways["raster_pytorch3d"] = lambda: peer.rasterize(vertices[None], faces, SIDE, SIDE)
        ways["soft_pytorch3d"] = lambda: _both_ways(_theirs(peer, vertices, faces))
    seconds = in_turns(ways, rounds)
    brute = in_turns(
        {
            "raster_bruteforce": lambda: nearest_faces(vertices, faces, SIDE, SIDE, EVERY),
            "soft_bruteforce": lambda: _both_ways(_brute(vertices, faces)),
        },
        1,
        warm_up=False,
    )
    seconds |= {name: [each * EVERY for each in times] for name, times in brute.items()}
    ratios: dict[str, Ratio | None] = {
        f"{name}_vs_{other}": ratio(seconds[f"{name}_{other}"], seconds[name])
        if f"{name}_{other}" in seconds
        else None
        for other in ("bruteforce", "pytorch3d")
        for name in ("raster", "soft")
    }
    return ratios, seconds


def _pytorch3d() -> PyTorch3DRasterizer | None:
    try:
        return PyTorch3DRasterizer()
    except AssetMissing:
        return None


def _both_ways(result: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor | None:
    alpha, moved = result
    alpha.square().sum().backward()
    return moved.grad


def _ours(vertices: torch.Tensor, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    moved = vertices.clone().requires_grad_()
    return soft_silhouette(moved[None], faces, SIDE, SIDE).alpha, moved


def _brute(vertices: torch.Tensor, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    moved = vertices.clone().requires_grad_()
    return soft_alpha(moved, faces, SIDE, SIDE, RELEASED_SOFTNESS, EVERY), moved


def _theirs(
    peer: PyTorch3DRasterizer, vertices: torch.Tensor, faces: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    moved = vertices.clone().requires_grad_()
    return peer.soft_alpha(moved[None], faces, SIDE, RELEASED_SOFTNESS), moved
