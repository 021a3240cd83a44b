# SPDX-License-Identifier: Apache-2.0
"""What draws an avatar, by name: textured mesh, its own photo, released network, light renderer.

Does not know pictures; it loads what draws them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from rome_backend.assets.store import AssetStore
from rome_backend.avatar.head_renderer import FeedForwardOptions, HeadRenderer
from rome_backend.avatar.head_surface import HeadSurface, head_surface
from rome_backend.avatar.installed_networks import picture_network
from rome_backend.avatar.light_weights import FOLDER, load_light_renderer
from rome_backend.avatar.neural_render import Drawing, NeuralAvatar, View, neural_texture
from rome_backend.core.errors import AssetMissing, UsageError
from rome_backend.core.types import Avatar, HeadModel
from rome_backend.inference.int8 import preview_network
from rome_backend.inference.precision import FastNetwork, choose_precision
from rome_backend.models.light_renderer import LIGHT_RENDERERS, LightRenderer

AUTO, TEXTURED, PHOTO, ROME = "auto", "textured", "photo", "rome"
RENDERERS = (AUTO, TEXTURED, PHOTO, ROME, *LIGHT_RENDERERS)


def chosen_renderer(name: str, avatar: Avatar) -> str:
    """Return the renderer that a name means for an avatar.

    auto: the network that the avatar's neural texture was made for, or the textured mesh;
    a light renderer draws an avatar without a neural texture from its photo.
    Raises UsageError (`renderer_unknown`).
    """
    if name not in RENDERERS:
        raise UsageError(
            "renderer_unknown", f"There is no renderer {name!r}.",
            f"Choose {', '.join(RENDERERS)}.",
        )  # fmt: skip
    if name in LIGHT_RENDERERS and avatar.neural_texture is None:
        return PHOTO
    if name != AUTO:
        return name
    return TEXTURED if avatar.neural_texture is None else ROME


def neural_avatar(
    name: str,
    avatar: Avatar,
    head: HeadModel,
    store: AssetStore,
    device: torch.device | str = "cpu",
    weights: Path = FOLDER,
    examples: Sequence[View] = (),
) -> NeuralAvatar:
    """Return an avatar ready to be drawn by the network of a name, rome or a light renderer's.

    weights: the folder of light renderers' weights. examples: views of the size to come, for
    previews in 8 bits (inference.int8), which draw one view at a time, on the CPU; without
    OpenVINO, or where they would be too coarse, a warning is logged and there are none.
    Raises UsageError (`no_neural_texture`, `preview_device`), AssetMissing (`renderer_untrained`,
    `networks_missing`) and FileInvalid.
    """
    where = torch.device(device)
    if examples and where.type != "cpu":
        raise UsageError(
            "preview_device", "Previews in 8 bits are drawn on the CPU.", "Use --device cpu."
        )
    neural_texture(avatar)
    surface = head_surface(head, np.ones(len(head.template), np.float32), where)
    if name in LIGHT_RENDERERS:
        light = _trained_for(avatar, name, weights)
        network: nn.Module = light
        drawing = light_drawing(light, surface, where)
    else:
        network = picture_network(avatar.weights_id, store)
        fast = FastNetwork(network, choose_precision("auto", where), where)
        drawing = Drawing(HeadRenderer(surface, fast), where)
    drawn = NeuralAvatar(drawing, avatar, head)
    if examples:
        drawing.renderer.network = preview_network(network, drawn.seen(examples))
    return drawn


def _trained_for(avatar: Avatar, name: str, weights: Path) -> LightRenderer:
    """Return a light renderer that was trained for the avatar's neural texture."""
    network, weights_id = load_light_renderer(name, weights)
    if weights_id != avatar.weights_id:
        raise AssetMissing(
            "networks_missing", f"The renderer {name!r} was trained for other neural textures.",
            "Render with --renderer auto.",
        )  # fmt: skip
    return network


def light_drawing(
    network: LightRenderer, surface: HeadSurface, device: torch.device | str = "cpu"
) -> Drawing:
    """Return a light renderer ready for frames of a head's surface, which is on the device."""
    where = torch.device(device)
    fast: nn.Module = FastNetwork(network, choose_precision("auto", where), where)
    renderer = HeadRenderer(surface, fast, options=FeedForwardOptions(plain_normals=True))
    return Drawing(renderer, where, network.params.reduction, soft=True)
