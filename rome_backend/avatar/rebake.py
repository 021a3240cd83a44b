# SPDX-License-Identifier: Apache-2.0
"""An avatar's texture baked again, at another size or without the photo's light.

Does not know the photo itself: what an avatar keeps of it is enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rome_backend.avatar.assemble import with_texture
from rome_backend.avatar.avatar import require_head_model
from rome_backend.avatar.create_options import SIZES
from rome_backend.core.errors import RomeError, UsageError
from rome_backend.core.types import Avatar, FaceFit, HeadCrop, HeadModel
from rome_backend.texture.bake import TextureView, bake


def rebake(
    avatar: Avatar,
    head: HeadModel,
    size: int,
    delight: bool = False,
    check: Callable[[], None] = lambda: None,
) -> Avatar:
    """Return the avatar with a new texture of its source crop; same input, same texture.

    Normals and roughness are estimated anew, unless the avatar was made without them on purpose.

    Args:
        size: side T in texels, of create's SIZES.
        delight: take smooth shading out of the skin.
        check: called several times a second; what it raises ends the work.

    Raises:
        UsageError: `texture_size`.
        RomeError: `rebake_needs_photos` for an avatar of several photos, of which it keeps one.
        FileInvalid: `topology_mismatch`; `rebake_no_fit` when it does not say how it was fitted.
    """
    if size not in SIZES:
        raise UsageError(
            "texture_size", f"A texture of {size} px is not offered.",
            f"Choose one of: {', '.join(map(str, SIZES))}.",
        )  # fmt: skip
    require_head_model(avatar, head)
    photos = avatar.provenance.get("photos")
    if isinstance(photos, list) and len(photos) > 1:
        raise RomeError(
            "rebake_needs_photos",
            f"{avatar.name} was made of {len(photos)} photos and keeps only one of them.",
            "Create the head again from all its photos with the size you want.",
        )
    view = TextureView.of(head, _fit(avatar), _crop(avatar), avatar.offsets)
    seed = avatar.provenance.get("seed", 0)
    seed = seed if type(seed) is int and seed >= 0 else 0
    maps = avatar.provenance.get("estimates") != []  # older avatars do not say
    texture = bake(head, [view], size, delight, seed, check, maps)
    return with_texture(avatar, texture, delight)


def _crop(avatar: Avatar) -> HeadCrop:
    """Return the source crop."""
    matte = avatar.source_matte.astype(np.float32) / np.float32(255)
    valid = np.zeros(matte.shape, np.bool_)
    left, top, right, bottom = _shown(avatar)
    valid[top:bottom, left:right] = True
    return HeadCrop(
        rgb=avatar.source_crop,
        matte=matte,
        valid=valid,
        photo_to_crop=np.eye(2, 3),
        landmarks=avatar.source_landmarks,
    )


def _shown(avatar: Avatar) -> list[int]:
    """Return the part of the crop that the photo showed; all of it where nothing is said."""
    height, width = avatar.source_matte.shape
    shown = avatar.provenance.get("shown")
    if not isinstance(shown, list) or len(shown) != 4:
        return [0, 0, width, height]
    plain = all(type(side) is int and side >= 0 for side in shown)
    return shown if plain else [0, 0, width, height]


def _fit(avatar: Avatar) -> FaceFit:
    """Return how the head was fitted to the source crop."""
    facts = avatar.provenance.get("fit")
    try:
        return _read_fit(avatar, facts)
    except (KeyError, TypeError, ValueError) as error:
        raise RomeError(
            "rebake_no_fit", f"{avatar.name} does not say how it was fitted to its photo.",
            "Create the head again from its photo.",
        ) from error  # fmt: skip


def _read_fit(avatar: Avatar, facts: Any) -> FaceFit:
    if not isinstance(facts, Mapping):
        raise TypeError("no fit")
    distance = math.inf if facts.get("distance") is None else float(facts["distance"])
    if not distance > 0:
        raise ValueError("no distance")
    numbers = {name: float(facts[name]) for name in ("scale", "yaw", "pitch", "roll", "residual")}
    return FaceFit(
        params=avatar.params,
        rotation=np.array(facts["rotation"], np.float64).reshape(3, 3),
        translation=np.array(facts["translation"], np.float64).reshape(2),
        distance=distance,
        **numbers,
    )
