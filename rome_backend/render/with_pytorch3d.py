# SPDX-License-Identifier: Apache-2.0
"""PyTorch3D as a rasterizer, for those who have it: optional, same protocol, same numbers.

Does not know why one would prefer it; nothing imports this module unless asked to.

PyTorch3D finds the face index. Barycentrics and depth are recomputed from it as those of our own
rasterizer, so gradients agree.
"""

from __future__ import annotations

import torch

from rome_backend.core.errors import AssetMissing
from rome_backend.render.fragments import Fragments
from rome_backend.render.rasterizer import fragments_of
from rome_backend.render.silhouette import Softness

AREA_EPSILON = 1e-8  # what PyTorch3D adds to twice a face's area


class PyTorch3DRasterizer:
    """PyTorch3D's hard pass behind the Rasterizer protocol.

    Raises AssetMissing ("pytorch3d_missing") at construction when it is not installed.
    """

    def __init__(self) -> None:
        try:
            from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
            from pytorch3d.structures import Meshes
        except ImportError as error:
            raise AssetMissing(
                "pytorch3d_missing",
                "PyTorch3D is not installed in this environment.",
                "Leave the rasterizer at its default, which needs nothing more.",
            ) from error
        self._rasterize, self._meshes = rasterize_meshes, Meshes

    def rasterize(
        self, vertices: torch.Tensor, faces: torch.Tensor, height: int, width: int
    ) -> Fragments:
        """See Rasterizer.rasterize; edge pixels belong to no face, as PyTorch3D has it."""
        faces = faces.long()
        count = len(vertices)
        with torch.no_grad():
            placed = _pytorch3d_ndc(vertices.detach(), height, width)
            index, _, _, _ = self._rasterize(
                self._meshes(verts=placed, faces=faces.expand(count, -1, -1)),
                image_size=(height, width),
                blur_radius=0.0,
                faces_per_pixel=1,
                perspective_correct=False,
                clip_barycentric_coords=False,
                cull_backfaces=False,
            )
            index = index[..., 0]
            first = torch.arange(count, device=index.device)[:, None, None] * len(faces)
            index = torch.where(index >= 0, index - first, index)
        return fragments_of(vertices, faces, index, AREA_EPSILON)

    def soft_alpha(
        self, vertices: torch.Tensor, faces: torch.Tensor, side: int, softness: Softness
    ) -> torch.Tensor:
        """Return PyTorch3D's soft silhouette (N, S, S) of a square picture, with its gradients.

        vertices (N, V, 3) f32 image NDC; for comparison with render.silhouette, which has no need
        of PyTorch3D.
        """
        placed = _pytorch3d_ndc(vertices, side, side)
        index, _, _, distances = self._rasterize(
            self._meshes(verts=placed, faces=faces.long().expand(len(vertices), -1, -1)),
            image_size=(side, side),
            blur_radius=softness.blur_radius,
            faces_per_pixel=softness.faces_per_pixel,
            perspective_correct=False,
            clip_barycentric_coords=False,
            cull_backfaces=False,
        )
        covered = torch.sigmoid(-distances / softness.sigma) * (index >= 0)
        return 1 - (1 - covered).prod(-1)


def _pytorch3d_ndc(vertices: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Image NDC to PyTorch3D's: x left, y up, -1..1 over the shorter side, all in front of 0."""
    short = min(height, width)
    scale = vertices.new_tensor([-width / short, -height / short, 1.0])
    placed = vertices * scale
    finite = placed[..., 2][torch.isfinite(placed[..., 2])]
    if len(finite):
        placed[..., 2] += 1 - finite.min()
    return placed
