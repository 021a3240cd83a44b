# SPDX-License-Identifier: Apache-2.0
"""The networks that losses compare pictures with, from the installed assets.

Does not know losses: one whose network is not installed is off, and ``missing`` names it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch

from rome_backend.assets.store import AssetStore
from rome_backend.avatar.installed_networks import with_counters
from rome_backend.core.tensor_file import read_tensors
from training.losses.identity import FaceRecogniser, face_recogniser
from training.losses.vgg import VGG16_BLOCKS, VGG19_BLOCKS, VggFeatures, vgg_features

_LOG = logging.getLogger(__name__)
ASSETS = {"perceptual": "vgg19", "gaze": "gaze-vgg16", "identity": "vggface2-resnet50"}
_PREFIXES = {"perceptual": "features.", "gaze": "left_features."}
_BLOCKS = {"perceptual": VGG19_BLOCKS, "gaze": VGG16_BLOCKS}


@dataclass(frozen=True)
class LossNetworks:
    """The networks of losses, None where there is none installed.

    missing: the names of the losses that are off for it, sorted.
    """

    perceptual: VggFeatures | None = None
    gaze: VggFeatures | None = None
    identity: FaceRecogniser | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the losses that have no network."""
        return tuple(sorted(name for name in ASSETS if getattr(self, name) is None))


def loss_networks(store: AssetStore, device: torch.device | str = "cpu") -> LossNetworks:
    """Return the installed networks of losses; which are missing is logged.

    Raises AssetMissing (`asset_damaged`) when the file of one has changed.
    """
    installed = {record.name for record in store.list()}
    found: dict[str, torch.nn.Module] = {}
    for name, asset in ASSETS.items():
        if asset not in installed:
            _LOG.warning("the %s loss is off: the asset %s is not installed", name, asset)
            continue
        found[name] = _network(name, asset_state(asset, store)).to(device)
    return LossNetworks(**found)  # type: ignore[arg-type]


def asset_state(asset: str, store: AssetStore) -> dict[str, torch.Tensor]:
    """Return the tensors of an installed asset. Raises AssetMissing."""
    arrays, _ = read_tensors(store.verify(asset))
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _network(name: str, state: dict[str, torch.Tensor]) -> torch.nn.Module:
    if name == "identity":
        return face_recogniser(with_counters(state))
    return vgg_features(_BLOCKS[name], state, _PREFIXES[name])
