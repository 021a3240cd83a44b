# SPDX-License-Identifier: Apache-2.0
"""Photos and posed meshes to one texture without holes, and a map of what they really showed.

Does not know how photos were tracked, nor files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rome_backend.core.errors import UsageError
from rome_backend.core.types import F32, U8, HeadModel
from rome_backend.texture.atlas import Atlas, atlas_of
from rome_backend.texture.complete import complete
from rome_backend.texture.delight import without_light
from rome_backend.texture.enlarge import enlarged
from rome_backend.texture.examples import photo_surface
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.mirror import light_gain
from rome_backend.texture.padding import padded
from rome_backend.texture.seams import closed_seams
from rome_backend.texture.surface_maps import SurfaceMaps, surface_maps
from rome_backend.texture.unproject import SeenTexels, unproject
from rome_backend.texture.view import TextureView

__all__ = ["BakedTexture", "TextureView", "bake"]

LARGEST = 2048  # side of what is baked at once; larger textures are enlarged from it


@dataclass(frozen=True)
class BakedTexture:
    """albedo (T, T, 3) u8 sRGB, padded beyond the UV islands; confidence (T, T) u8: 255 where a
    photo showed the surface frontally, 0 where none did; empty_texels: covered texels that no
    step gave a colour; maps: estimates of normals and roughness, if wanted."""

    albedo: U8
    confidence: U8
    empty_texels: int
    maps: SurfaceMaps | None = None


def bake(
    head: HeadModel,
    views: Sequence[TextureView],
    size: int = 1024,
    delight: bool = False,
    seed: int = 0,
    check: Callable[[], None] = lambda: None,
    maps: bool = False,
) -> BakedTexture:
    """Bake one texture from one or several photos of a person.

    Args:
        head: the head model whose UV layout the texture has.
        views: photos with their posed meshes; the first one sets the light.
        size: side T in texels; above 2048 a multiple of it, with the first photo's detail added.
        delight: take smooth shading out of the skin (clamped to 35 %).
        seed: of invented hair detail. Same input and seed: same texture.
        check: called between steps, several times a second; what it raises ends the work.
        maps: estimate normals and roughness as well, at the same size.

    Raises:
        UsageError: no views, or a size below 16 or no multiple of 2048 above that.
    """
    if not views:
        raise UsageError("no_views", "A texture needs at least one photo.", "Give a photo.")
    if size < 16:
        raise UsageError("texture_size", f"{size} px is too small a texture.", "Use 1024.")
    small = min(size, LARGEST)
    if size % small:
        raise UsageError("texture_size", f"{size} px is no texture size.", f"Use {2 * small}.")
    atlas = atlas_of(head, small)
    seen = []
    for view in views:
        check()
        seen.append(unproject(head, atlas, view))
    if delight:
        seen = [without_light(head, atlas, one) for one in seen]
    colour, weight = _merged(head, atlas, seen)
    below = seen[0].below if len(seen) == 1 else None  # photos end at different heights
    del seen  # the normals of a 2K texture are 45 MB
    source = (views[0].vertices, photo_surface(head, views[0]))
    texels = complete(head, atlas, colour, weight, seed, source, check, below)
    check()
    rounded = np.clip(texels.colour + 0.5, 0, 255).astype(np.uint8)
    albedo = closed_seams(head, padded(atlas, rounded), atlas.covered)
    confidence = atlas.image(np.clip(texels.trust * 255 + 0.5, 0, 255)).astype(np.uint8)
    empty = int((~texels.filled).sum())
    del texels
    if size > small:
        albedo, confidence = enlarged(
            head, atlas, views[0], albedo, confidence, size // small, check
        )
    estimates = surface_maps(head, views[0].vertices, albedo, check) if maps else None
    return BakedTexture(albedo, confidence, empty, estimates)


def _merged(head: HeadModel, atlas: Atlas, seen: Sequence[SeenTexels]) -> tuple[F32, F32]:
    """Merge what several photos show: the more frontal view wins, in the first one's light."""
    colour, weight = seen[0].colour, seen[0].weight
    if len(seen) == 1:
        return colour, weight
    fill = MeshFill(head)
    share = weight**3
    total = colour * share[:, None]
    for one in seen[1:]:
        gain = light_gain(atlas, fill, (colour, weight), (one.colour, one.weight))
        other = one.weight**3
        total += np.clip(one.colour * gain, 0, 255) * other[:, None]
        share = share + other
        weight = np.maximum(weight, one.weight)
        colour = np.asarray(total / np.maximum(share, 1e-6)[:, None], np.float32)
    return colour, weight
