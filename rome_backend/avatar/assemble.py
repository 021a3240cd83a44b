# SPDX-License-Identifier: Apache-2.0
"""Puts an avatar together from what the stages of create made, and says where it came from.

Does not know photos, networks or how the parts were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

import rome_backend
from rome_backend.assets.licences import PHOTO, with_whole
from rome_backend.avatar.choices import Choice
from rome_backend.core.camera import fit_camera
from rome_backend.core.types import Avatar, FaceFit, HeadCrop, HeadModel
from rome_backend.texture.bake import BakedTexture
from rome_backend.texture.surface_maps import ESTIMATES
from rome_backend.tracking.silhouette import OffsetFit


def assemble(
    names: Sequence[str],
    seed: int,
    choice: Choice,
    head: HeadModel,
    crop: HeadCrop,
    fit: FaceFit,
    offsets: OffsetFit,
    texture: BakedTexture,
    warnings: tuple[str, ...],
    delight: bool = False,
) -> Avatar:
    """Return the avatar of finished parts, with its licences and how it came about.

    names: of the photos, the avatar's own first; crop, fit: of the photo it is made from;
    delight: whether the texture is without the photo's light.
    """
    height, width = crop.rgb.shape[:2]
    avatar = Avatar(
        name=Path(names[0]).stem,
        head_model=head.name,
        topology_id=head.topology_id,
        params=fit.params,
        offset_coefficients=np.asarray(offsets.coefficients, np.float32),
        free_offsets=np.asarray(offsets.free, np.float32),
        offsets=np.asarray(offsets.offsets, np.float32),
        albedo=texture.albedo,
        confidence=texture.confidence,
        source_crop=crop.rgb,
        source_matte=np.clip(crop.matte * 255 + 0.5, 0, 255).astype(np.uint8),
        source_landmarks=np.asarray(crop.landmarks, np.float32),
        camera=fit_camera(fit, width, height),
        warnings=warnings,
        licences=with_whole(
            {
                "head model": head.licence,
                "face tracker": "Apache-2.0",
                "texture and identity": PHOTO,
            }
        ),
        provenance=_provenance(names, seed, choice, head, fit) | {"shown": shown_part(crop)},
    )
    return with_texture(avatar, texture, delight)


def _provenance(
    names: Sequence[str], seed: int, choice: Choice, head: HeadModel, fit: FaceFit
) -> dict[str, object]:
    """Return what made the avatar, JSON-able."""
    return {
        "program": f"rome-blender {rome_backend.__version__}",
        "photos": list(names),
        "seed": seed,
        "head": choice.head,
        "tracker": choice.tracker,
        "networks": choice.networks,
        "head_source": head.source,
        "fit": {
            "scale": fit.scale,
            "yaw": fit.yaw,
            "pitch": fit.pitch,
            "roll": fit.roll,
            "residual": fit.residual,
            "rotation": np.asarray(fit.rotation).tolist(),
            "translation": np.asarray(fit.translation).tolist(),
            "distance": fit.distance if np.isfinite(fit.distance) else None,
        },
    }


def with_texture(avatar: Avatar, texture: BakedTexture, delight: bool) -> Avatar:
    """Return the avatar with a texture; provenance says whether it is without the photo's light,
    and what is a guess."""
    maps = texture.maps
    facts = {"delight": delight, "estimates": [] if maps is None else list(ESTIMATES)}
    return replace(
        avatar,
        albedo=texture.albedo,
        confidence=texture.confidence,
        normal_map=None if maps is None else maps.normal,
        roughness_map=None if maps is None else maps.roughness,
        provenance={**avatar.provenance, **facts},
    )


def shown_part(crop: HeadCrop) -> list[int]:
    """Return left, top, right and bottom (px) of the part of the crop that the photo showed."""
    rows, columns = np.nonzero(crop.valid)
    return [int(n) for n in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]
