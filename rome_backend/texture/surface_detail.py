# SPDX-License-Identifier: Apache-2.0
"""Fine variation of hair and skin on every texel, taken from examples of the photo's own.

Does not know colours, nor which texels are hair or skin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import F32, F64, HeadModel, Mask
from rome_backend.texture.atlas import Atlas
from rome_backend.texture.examples import (
    Example,
    PhotoSurface,
    cloth_example,
    hair_example,
    plain_hair,
    skin_example,
)
from rome_backend.texture.flow import hair_flow
from rome_backend.texture.palette import Palette
from rome_backend.texture.synthesis import synthesised

_HAIR_PIECE = 0.009  # m, half width across the strands; straight hair's is longer along them
_SKIN_PIECE = (0.006, 0.006)
_CLOTH_PIECE = (0.014, 0.014)
_LONG = 0.03  # m below the scalp from which hair is long


@dataclass(frozen=True)
class SurfaceDetail:
    """Where texels lie on the person and what their materials look like.

    vertices (V, 3) m: the head with its hair, as in the photo; normals (V, 3) unit; centre (3,) m:
    middle of the scalp; hair_, skin_, cloth_example: None where the photo shows too little; hang: m
    by which the hair's lowest point lies below the bare scalp's; seed: of where pieces lie.
    """

    vertices: F64
    normals: F64
    centre: F64
    hair_example: Example | None
    skin_example: Example | None
    cloth_example: Example | None
    hang: float
    seed: int

    @property
    def long_hair(self) -> bool:
        """Whether hair hangs clearly below the bare scalp."""
        return self.hang > _LONG

    @property
    def _long(self) -> float:
        """0 for hair of the skull's own height .. 1 for hair that hangs 12 cm and more below."""
        return float(np.clip((self.hang - 0.02) / 0.1, 0, 1))

    @classmethod
    def of(
        cls,
        head: HeadModel,
        vertices: NDArray[np.floating],
        photo: PhotoSurface | None,
        palette: Palette,
        seed: int,
    ) -> SurfaceDetail:
        """Take examples from the photo, if there is one, in the palette's colours."""
        surface = np.asarray(vertices, np.float64)
        normals = vertex_normals(surface, head.faces)
        centre, hang = _scalp(head, surface)
        hair = hair_example(photo, palette, hang > _LONG) if photo else None
        skin = skin_example(photo, palette) if photo else None
        cloth = cloth_example(photo, palette) if photo else None
        return cls(surface, normals, centre, hair, skin, cloth, hang, seed)

    def hair(
        self,
        atlas: Atlas,
        wanted: Mask,
        contrast: tuple[float, float],
        check: Callable[[], None] = lambda: None,
    ) -> F32:
        """Detail (P, 3), a logarithm, 0 where not wanted (P,) bool.

        contrast: fine and coarse relative contrast of strands that are invented altogether.
        """
        example = self.hair_example or plain_hair(self.seed, *contrast)
        width = _HAIR_PIECE * (1 + 0.6 * self._long)
        length = width * (1 + 2.5 * np.clip(3 * example.straight - 0.4, 0, 1))
        return self._on(atlas, wanted, example, (width, length), check)

    def skin(self, atlas: Atlas, wanted: Mask, check: Callable[[], None] = lambda: None) -> F32:
        """Detail (P, 3), a logarithm, 0 where not wanted or where no skin was seen."""
        return self._on(atlas, wanted, self.skin_example, _SKIN_PIECE, check)

    def cloth(self, atlas: Atlas, wanted: Mask, check: Callable[[], None] = lambda: None) -> F32:
        """Detail (P, 3), a logarithm, 0 where not wanted or where no cloth was seen."""
        return self._on(atlas, wanted, self.cloth_example, _CLOTH_PIECE, check)

    def _on(
        self,
        atlas: Atlas,
        wanted: Mask,
        example: Example | None,
        shape: tuple[float, float],
        check: Callable[[], None],
    ) -> F32:
        out = np.zeros((len(wanted), 3), np.float32)
        chosen = np.flatnonzero(wanted)
        if example is None or not len(chosen):
            return out
        mix = atlas.mix[chosen]
        points = mix @ self.vertices.astype(np.float32)
        normals = mix @ self.normals.astype(np.float32)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
        along = hair_flow(points, normals, self.centre)
        out[chosen] = synthesised(
            example,
            points,
            along,
            normals,
            atlas.texel[chosen],
            atlas.size,
            shape,
            self.seed,
            check,
        )
        return out


def _scalp(head: HeadModel, vertices: F64) -> tuple[F64, float]:
    """The middle (3,) m of the scalp, and how far hair hangs below the bare scalp, m."""
    scalp = head.regions["hair"]
    if not scalp.any():
        return vertices.mean(0), 0.0
    now, bare = vertices[scalp], head.template[scalp].astype(np.float64)
    tall = bare[:, 1].max() - bare[:, 1].min()
    height = now[:, 1].max() - 0.6 * tall
    centre = np.array([0.0, height, (bare[:, 2].min() + bare[:, 2].max()) / 2])
    return centre, float((now[:, 1].max() - now[:, 1].min()) - tall)
