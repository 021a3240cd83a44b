# SPDX-License-Identifier: Apache-2.0
"""The weights of the network that mends photo pictures: a file of ours, read strictly.

Does not know pictures, or how the weights were trained; the card beside them says it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from rome_backend.avatar.photo_mend import (
    SEEN_CHANNELS,
    SHIPPED,
    PhotoMender,
    photo_mender,
    shipped,
)
from rome_backend.core.atomic_file import replacing
from rome_backend.core.errors import FileInvalid
from rome_backend.core.tensor_file import read_tensors, write_tensors
from rome_backend.models.light_renderer import LightParams, LightRenderer

KIND, VERSION = "rome-photo-mender", 1
WEIGHTS_ID = "rome-photo-1"
DEFAULT = Path(__file__).with_name("photo.safetensors")


def save_photo_mender(network: LightRenderer, path: Path, card: Mapping[str, Any]) -> None:
    """Write what is shipped of a mender's network atomically, and its card as JSON beside it.

    card: the command that made it, seed, data, measures.
    """
    state = shipped(network).state_dict().items()
    tensors = {name: value.detach().float().cpu().numpy() for name, value in state}
    params = {"base": network.params.base, "levels": network.params.levels}
    metadata = {"kind": KIND, "version": VERSION, "weights_id": WEIGHTS_ID, "params": params}
    write_tensors(path, tensors, metadata)
    text = json.dumps({"weights_id": WEIGHTS_ID, **params, **card}, indent=1)
    with replacing(path.with_suffix(".json")) as stream:
        stream.write((text + "\n").encode())


def load_photo_mender(path: Path = DEFAULT) -> PhotoMender:
    """Return a mender with trained weights; the default ones come with the program.

    Raises FileInvalid (`mender_invalid`) for a file that is missing or holds something else.
    """
    if not path.is_file():
        raise _invalid(path, "there is no such file")
    tensors, metadata = read_tensors(path)
    if metadata.get("kind") != KIND or metadata.get("version") != VERSION:
        raise _invalid(path, "it is of another kind or version")
    try:
        params = LightParams(SEEN_CHANNELS, SHIPPED, **metadata["params"])
        network = LightRenderer(params)
        state = {name: torch.from_numpy(array.copy()) for name, array in tensors.items()}
        network.load_state_dict(state, strict=True)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _invalid(path, str(error).splitlines()[0]) from error
    return photo_mender(network).eval()


def _invalid(path: Path, reason: str) -> FileInvalid:
    return FileInvalid(
        "mender_invalid", f"{path.name} holds no network for photo pictures: {reason}.",
        "Get the program's files again, or choose another checkpoint.",
    )  # fmt: skip
