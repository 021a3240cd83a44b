# SPDX-License-Identifier: Apache-2.0
"""What samples are taken with: tracker and head, a parser and a judge of pictures.

Does not know clips. The parser and the judge are networks where they were imported.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

import torch
from torch import nn

from rome_backend.assets.store import AssetStore
from rome_backend.avatar.create import Tools, load_tools
from rome_backend.avatar.installed_networks import with_counters
from rome_backend.core.errors import FileInvalid
from rome_backend.models.face_parser import FaceParser
from rome_backend.models.quality_network import QualityNetwork
from training.data.parsing import NetworkParser, Parser, RegionParser
from training.data.quality import ClassicalJudge, Judge, NetworkJudge
from training.losses.networks import asset_state

_LOG = logging.getLogger(__name__)
PARSER, JUDGE = "bisenet", "hyperiqa"
N = TypeVar("N", bound=nn.Module)


@dataclass(frozen=True)
class Instruments:
    """Tracker, matte, fitter and head; what tells hair from face; what judges pictures."""

    tools: Tools
    parser: Parser = field(default_factory=RegionParser)
    judge: Judge = field(default_factory=ClassicalJudge)

    def names(self) -> dict[str, str]:
        """Return what samples depend on of it, for manifests."""
        head = self.tools.head
        return {
            "head_model": head.name,
            "topology_id": head.topology_id,
            "parser": self.parser.name,
            "quality": self.judge.name,
        }


def load_instruments(store: AssetStore) -> Instruments:
    """Return the instruments with the installed networks; what is missing is logged.

    Raises AssetMissing (`asset_damaged`) when the file of one has changed, and FileInvalid
    (`asset_invalid`) when it does not fit its network.
    """
    installed = {record.name for record in store.list()}
    parser: Parser = RegionParser()
    judge: Judge = ClassicalJudge()
    if PARSER in installed:
        parser = NetworkParser(_filled(FaceParser(), PARSER, store))
    else:
        _LOG.info("hair and face are told apart without a network: %s is not installed", PARSER)
    if JUDGE in installed:
        judge = NetworkJudge(_filled(QualityNetwork(), JUDGE, store))
    else:
        _LOG.info("pictures are judged without a network: %s is not installed", JUDGE)
    return Instruments(load_tools(), parser, judge)


@lru_cache(maxsize=1)
def process_instruments() -> Instruments:
    """Return this process's instruments, loaded once, with one thread for their arithmetic.

    One thread, because the last bits of a sum depend on how many share it.
    """
    torch.set_num_threads(1)
    return load_instruments(AssetStore())


def _filled(network: N, asset: str, store: AssetStore) -> N:
    try:
        network.load_state_dict(with_counters(asset_state(asset, store)))
    except RuntimeError as error:
        raise FileInvalid(
            "asset_invalid", f"{asset} does not fit its network.", "Import its file again."
        ) from error
    return network.eval().requires_grad_(False)
