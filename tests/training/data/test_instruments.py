# SPDX-License-Identifier: Apache-2.0
"""Instruments: networks where they are installed, strictly; plain ones where they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.assets.importer import import_paths
from rome_backend.assets.store import AssetStore
from rome_backend.core.errors import FileInvalid
from rome_backend.models.face_parser import FaceParser
from rome_backend.models.quality_network import QualityNetwork
from training.data import instruments as instruments_module
from training.data.instruments import Instruments, load_instruments, process_instruments


@pytest.fixture(autouse=True)
def _no_tracker(monkeypatch: pytest.MonkeyPatch, instruments: Instruments) -> None:
    monkeypatch.setattr(instruments_module, "load_tools", lambda: instruments.tools)


def test_without_networks_the_plain_ones_are_used(tmp_path: Path) -> None:
    found = load_instruments(AssetStore(tmp_path))
    names = found.names()
    assert (names["parser"], names["quality"]) == ("regions", "classical")
    assert names["topology_id"] == found.tools.head.topology_id


def test_imported_networks_are_used_with_their_weights(tmp_path: Path) -> None:
    torch.manual_seed(3)
    networks = {"79999_iter.pth": FaceParser(), "koniq_pretrained.pkl": QualityNetwork()}
    store = AssetStore(tmp_path / "store")
    for name, network in networks.items():
        torch.save(network.state_dict(), tmp_path / name)
        report = import_paths([tmp_path / name], store)
        assert not report.refused and len(report.imported) == 1
    found = load_instruments(store)
    assert found.names()["parser"] == "bisenet" and found.names()["quality"] == "hyperiqa"
    loaded = (found.parser.network, found.judge.network)  # type: ignore[attr-defined]
    for given, network in zip(networks.values(), loaded, strict=True):
        assert not network.training
        wanted = given.state_dict()
        for name, value in network.state_dict().items():
            assert torch.equal(value, wanted[name]), name
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert np.isfinite(found.judge.score(picture))


def test_a_file_of_another_network_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Record:
        name = "bisenet"

    class Store(AssetStore):
        def list(self) -> list:
            return [Record]

    monkeypatch.setattr(
        instruments_module, "asset_state", lambda asset, store: {"x": torch.zeros(1)}
    )
    with pytest.raises(FileInvalid) as caught:
        load_instruments(Store(tmp_path))
    assert caught.value.code == "asset_invalid"


def test_a_process_loads_them_once_and_computes_with_one_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(
        instruments_module, "load_instruments", lambda store: calls.append(1) or object()
    )
    process_instruments.cache_clear()
    torch.set_num_threads(2)
    assert process_instruments() is process_instruments()
    assert calls == [1] and torch.get_num_threads() == 1
    process_instruments.cache_clear()
