# SPDX-License-Identifier: Apache-2.0
"""Writes a linear model in the layout of the released files, with a card that says what it is.

Does not know how it was trained.

The files are `linear_hair.pth`, `u_full.pt` and `mean_deform.pt` (rome-spec sections 1.6 and 3):
for a head model of FLAME's topology `rome assets import` takes all three.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from rome_backend.core.atomic_file import replacing
from rome_backend.models.resnet import ResNet50
from training.distill.basis import LinearBasis

REGRESSOR, BASIS, MEAN, CARD = "linear_hair.pth", "u_full.pt", "mean_deform.pt", "card.json"


def write_linear_model(
    folder: Path, network: ResNet50, basis: LinearBasis, facts: Mapping[str, Any]
) -> Path:
    """Write a linear model and its card; return the card's path."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        REGRESSOR: {name: value.detach().cpu() for name, value in network.state_dict().items()},
        BASIS: torch.from_numpy(basis.dirs),
        MEAN: torch.from_numpy(basis.mean),
    }
    digests = {}
    for name, value in values.items():
        with replacing(folder / name) as stream:
            torch.save(value, stream)
        digests[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    card = {
        "kind": "linear offset model",
        **facts,
        "explained_variance": {"hair": basis.explained[0], "neck": basis.explained[1]},
        "sha256": digests,
    }
    with replacing(folder / CARD) as stream:
        stream.write((json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode())
    return folder / CARD
