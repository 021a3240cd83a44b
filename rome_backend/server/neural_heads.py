# SPDX-License-Identifier: Apache-2.0
"""The avatars whose networks may draw frames, and which of a frame's heads they draw.

Does not know how anything is drawn. Networks are loaded by the first frame that needs them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rome_backend.core.avatar_text import unpacked
from rome_backend.core.errors import AssetMissing, RomeError, UsageError
from rome_backend.core.messages import AvatarKept, KeepAvatar, Message, RenderFrame
from rome_backend.core.types import F32
from rome_backend.server.avatar_bytes import avatar_of
from rome_backend.server.jobs import Job

if TYPE_CHECKING:
    from torch import nn

    from rome_backend.avatar.neural_frame import NeuralLook

KEPT_AVATARS = 32  # as many as there are surfaces
AUTO, TEXTURED, ROME = "auto", "textured", "rome"
_HINT = "Choose Automatic or Textured Mesh as the renderer."


@dataclass(frozen=True)
class _Kept:
    """An avatar's neural texture (8, T, T), None where it has none, and whose it is."""

    name: str
    neural_texture: F32 | None
    weights_id: str


class NeuralHeads:
    """What is known of avatars, and the network that was loaded last.

    Args:
        device: "auto", "cpu" or "cuda": what draws.
    """

    def __init__(self, device: str = "auto") -> None:
        self._device = device
        self._avatars: OrderedDict[str, _Kept] = OrderedDict()
        self._network: tuple[str, nn.Module] | None = None

    def keep(self, message: KeepAvatar, job: Job) -> Message:
        """Keep what draws an avatar; FileInvalid as its readers say."""
        avatar = avatar_of(unpacked(message.text, message.avatar_id, "the head"))
        kept = _Kept(avatar.name, avatar.neural_texture, avatar.weights_id)
        self._avatars[message.avatar_id] = kept
        self._avatars.move_to_end(message.avatar_id)
        while len(self._avatars) > KEPT_AVATARS:
            self._avatars.popitem(last=False)
        return AvatarKept(message.request_id, message.avatar_id)

    def looks(self, message: RenderFrame) -> tuple[list[NeuralLook | None], str]:
        """Return per head what its networks draw it with, None for the textured mesh, and why.

        "textured" takes no networks, "auto" where they can be had.
        Raises RomeError (`avatar_unknown`) for an avatar that must be sent first; for "rome"
        UsageError (`no_neural_texture`) and AssetMissing (`networks_missing`).
        """
        if message.renderer == TEXTURED:
            return [None] * len(message.surface_ids), ""
        looks: list[NeuralLook | None] = []
        notes: list[str] = []
        for avatar_id in message.avatar_ids:
            try:
                looks.append(self._look(avatar_id))
            except (UsageError, AssetMissing) as error:
                if message.renderer == ROME:
                    raise
                looks.append(None)
                notes.append(error.message)
        return looks, " ".join(dict.fromkeys(notes))

    def _look(self, avatar_id: str) -> NeuralLook:
        import torch

        from rome_backend.avatar.neural_frame import NeuralLook
        from rome_backend.render.device import torch_device

        kept = self._kept(avatar_id)
        if kept is None or kept.neural_texture is None:
            whose = "A head" if kept is None else kept.name
            raise UsageError(
                "no_neural_texture", f"{whose} has no neural texture for the ROME networks.", _HINT
            )
        device = torch_device(self._device)
        network = self._loaded(kept.weights_id)
        texture = torch.as_tensor(np.array(kept.neural_texture), device=device)[None]
        return NeuralLook(network, texture)

    def _kept(self, avatar_id: str) -> _Kept | None:
        """Return a kept avatar, None for the id that says there is none."""
        if not avatar_id:
            return None
        if avatar_id not in self._avatars:
            raise RomeError(
                "avatar_unknown", "The backend does not know this avatar.", "Send it again."
            )
        self._avatars.move_to_end(avatar_id)
        return self._avatars[avatar_id]

    def _loaded(self, weights_id: str) -> nn.Module:
        """Return the rendering network of these weights, loaded once."""
        from rome_backend.assets.store import AssetStore
        from rome_backend.avatar.installed_networks import drawing_network
        from rome_backend.render.device import torch_device

        if self._network is None or self._network[0] != weights_id:
            device = torch_device(self._device)
            network = _for_blender(lambda: drawing_network(weights_id, AssetStore(), device))
            self._network = (weights_id, network)
        return self._network[1]


def _for_blender(load: Callable[[], nn.Module]) -> nn.Module:
    """Load a network; where it is missing, say what to do about it in Blender."""
    try:
        return load()
    except AssetMissing as error:
        if error.code != "networks_missing":
            raise
        hint = f"Import the same rome.pth with: rome assets import PATH. {_HINT}"
        raise AssetMissing(error.code, error.message, hint) from error
