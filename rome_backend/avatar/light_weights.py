# SPDX-License-Identifier: Apache-2.0
"""The light renderer's trained weights as files of ours, read strictly.

Does not know pictures, or how the weights were trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from rome_backend.core.errors import AssetMissing, FileInvalid
from rome_backend.core.tensor_file import read_tensors, write_tensors
from rome_backend.models.light_renderer import LightParams, LightRenderer

KIND = "rome-light-renderer"
VERSION = 1
FOLDER = Path(__file__).parent / "weights"


def save_light_renderer(
    network: LightRenderer, path: Path, weights_id: str, trained: Mapping[str, Any]
) -> None:
    """Write a light renderer atomically.

    weights_id: of the networks whose neural textures it draws; trained: JSON-able facts of how.
    """
    tensors = {
        name: value.detach().float().cpu().numpy() for name, value in network.state_dict().items()
    }
    metadata = {
        "kind": KIND, "version": VERSION, "params": asdict(network.params),
        "weights_id": weights_id, "trained": dict(trained),
    }  # fmt: skip
    write_tensors(path, tensors, metadata)


def load_light_renderer(name: str, folder: Path = FOLDER) -> tuple[LightRenderer, str]:
    """Return a light renderer by its name, and the weights_id of the textures it draws.

    Raises AssetMissing (`renderer_untrained`) where there are no trained weights, FileInvalid
    (`light_renderer_invalid`) for a file that holds something else.
    """
    path = folder / f"{name}.safetensors"
    if not path.is_file():
        raise AssetMissing(
            "renderer_untrained", f"The renderer {name!r} has no trained weights yet.",
            "Use --renderer auto, textured or rome.",
        )  # fmt: skip
    tensors, metadata = read_tensors(path)
    if metadata.get("kind") != KIND or metadata.get("version") != VERSION:
        raise _invalid(path, "it is of another kind or version")
    try:
        network = LightRenderer(LightParams(**metadata["params"]))
        state = {key: torch.from_numpy(array.copy()) for key, array in tensors.items()}
        network.load_state_dict(state, strict=True)
        return network.eval(), str(metadata["weights_id"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _invalid(path, str(error).splitlines()[0]) from error


def _invalid(path: Path, reason: str) -> FileInvalid:
    return FileInvalid(
        "light_renderer_invalid", f"{path.name} is no light renderer: {reason}.",
        "Get the file again.",
    )  # fmt: skip
