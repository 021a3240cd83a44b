# SPDX-License-Identifier: Apache-2.0
"""The networks that measures look through, from the installed assets; what is missing by name.

Does not know pictures or measures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from rome_backend.assets.store import AssetStore
from rome_backend.avatar.installed_networks import with_counters
from rome_backend.core.types import F64
from rome_backend.models.quality_network import QualityNetwork
from training.data.instruments import JUDGE
from training.data.quality import NetworkJudge
from training.evaluation.inception import Inception
from training.evaluation.likeness import Likeness
from training.evaluation.lpips import ASSETS as LPIPS_ASSETS
from training.evaluation.lpips import Lpips, installed_lpips
from training.evaluation.realism import can_measure
from training.losses.identity import face_recogniser
from training.losses.networks import ASSETS as LOSS_ASSETS
from training.losses.networks import asset_state

INCEPTION = "inception-fid"
RECOGNISER = LOSS_ASSETS["identity"]


@dataclass(frozen=True)
class Judges:
    """Networks of measures, None where there is none; left_out: measure -> why."""

    lpips: Lpips | None = None
    inception: torch.nn.Module | None = None
    likeness: Likeness | None = None
    quality: NetworkJudge | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)

    def iqa(self, picture: F64) -> float | None:
        """Return the network's opinion of a picture (S, S, 3), 0..100; None without it."""
        if self.quality is None:
            return None
        return self.quality.score((picture + 0.5).astype(np.uint8))

    def omissions(self) -> dict[str, Any]:
        """Return which measures are left out, and why, for JSON."""
        return {
            "metrics_left_out": list(self.left_out),
            "metrics_left_out_because": dict(self.left_out),
        }


def installed_judges(store: AssetStore) -> Judges:
    """Return the networks that are installed.

    Raises AssetMissing (`asset_damaged`) when the file of one has changed.
    """
    installed = {record.name for record in store.list()}
    left_out = {}
    for measure, assets in (
        ("lpips", LPIPS_ASSETS), ("fid", (INCEPTION,)), ("csim", (RECOGNISER,)), ("iqa", (JUDGE,)),
    ):  # fmt: skip
        missing = sorted(set(assets) - installed)
        if missing:
            left_out[measure] = f"{' and '.join(missing)} is not installed"
    if "fid" not in left_out and not can_measure():
        left_out["fid"] = "torchmetrics (the extra 'train') is not installed"
    return Judges(
        installed_lpips(store),
        None if "fid" in left_out else _inception(store),
        None if "csim" in left_out else _likeness(store),
        None if "iqa" in left_out else _quality(store),
        left_out,
    )


def _inception(store: AssetStore) -> Inception:
    network = Inception()
    network.load_state_dict(with_counters(asset_state(INCEPTION, store)))
    return network


def _quality(store: AssetStore) -> NetworkJudge:
    network = QualityNetwork()
    network.load_state_dict(with_counters(asset_state(JUDGE, store)))
    return NetworkJudge(network.eval().requires_grad_(False))


def _likeness(store: AssetStore) -> Likeness:
    return Likeness(face_recogniser(with_counters(asset_state(RECOGNISER, store))))
