# SPDX-License-Identifier: Apache-2.0
"""Loads the networks that a choice needs from the installed assets, strictly.

Does not know photos or avatars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from rome_backend.assets import rome_table_kinds
from rome_backend.assets.installed_weights import ID_DIGITS, installed_weights
from rome_backend.assets.store import AssetStore
from rome_backend.avatar import choices
from rome_backend.avatar.choices import Choice
from rome_backend.avatar.feed_forward import (
    FeedForward,
    FeedForwardOptions,
    RomeNetworks,
    for_inference,
    rome_networks,
)
from rome_backend.avatar.head_surface import (
    head_surface,
    kept_vertices,
    offset_mask,
    tightened,
)
from rome_backend.core.errors import AssetMissing
from rome_backend.core.tensor_file import read_tensors
from rome_backend.core.types import HeadModel
from rome_backend.inference.precision import FastNetwork, choose_precision
from rome_backend.models.face_regressor import FaceRegressor
from rome_backend.models.fold import folded
from rome_backend.models.key_map import load_network, split_checkpoint

State = dict[str, torch.Tensor]


@dataclass(frozen=True)
class LinearModel:
    """The linear offset model: network, basis (3 V, 60) and mean (V, 3) m."""

    network: nn.Module
    basis: torch.Tensor
    mean: torch.Tensor


@dataclass(frozen=True)
class InstalledNetworks:
    """What a choice loads: the released system, the linear model, DECA's regressor, or None each.

    weights_id: of the released networks, the start of their file's SHA-256; licences: part ->
    licence of what was loaded; device: where the networks are.
    """

    feed_forward: FeedForward | None = None
    linear: LinearModel | None = None
    face_regressor: FaceRegressor | None = None
    weights_id: str = ""
    licences: Mapping[str, str] = field(default_factory=dict)
    device: torch.device = torch.device("cpu")


def load_networks(
    choice: Choice, head: HeadModel, store: AssetStore, device: torch.device
) -> InstalledNetworks:
    """Return the networks of a choice, for inference.

    Raises AssetMissing (`asset_missing`, `asset_damaged`) and WrongWeights.
    """
    licences: dict[str, str] = {}
    feed_forward, linear, regressor, weights_id = None, None, None, ""
    if choice.networks == choices.OFFICIAL:
        record = store.record(choices.ROME_NETWORKS)
        feed_forward = _feed_forward(head, store, device, choice.face_tightness)
        weights_id = record.sha256[:ID_DIGITS]
        licences["networks"] = record.licence
    if choice.networks == choices.LINEAR:
        linear = _linear(store, device)
        licences["networks"] = store.record(choices.LINEAR_NETWORK).licence
    if choice.tracker == choices.DECA:
        state = with_counters(_tensors(choices.FACE_REGRESSOR, store))
        network = folded(load_network("E_flame", state)).to(device)
        assert isinstance(network, FaceRegressor)
        regressor = network
        licences["face regressor"] = store.record(choices.FACE_REGRESSOR).licence
    return InstalledNetworks(feed_forward, linear, regressor, weights_id, licences, device)


def rendering_networks(
    weights_id: str, head: HeadModel, store: AssetStore, device: torch.device
) -> FeedForward:
    """Return the released system that an avatar's neural texture belongs to.

    Raises AssetMissing (`networks_missing`) when it is not installed, or another one is.
    """
    require_networks(weights_id, store)
    return _feed_forward(head, store, device)


def drawing_network(weights_id: str, store: AssetStore, device: torch.device) -> nn.Module:
    """Return the released network that draws, for any head, as it runs fastest on the device.

    Raises AssetMissing as rendering_networks.
    """
    network = picture_network(weights_id, store)
    return FastNetwork(network, choose_precision("auto", device), device)


def picture_network(weights_id: str, store: AssetStore) -> nn.Module:
    """Return the network of drawing_network as it was written; AssetMissing as there."""
    require_networks(weights_id, store)
    parts, _ = split_checkpoint(_tensors(choices.ROME_NETWORKS, store))
    return rome_networks(parts, fold=False).picture


def require_networks(weights_id: str, store: AssetStore) -> None:
    """Raise AssetMissing (`networks_missing`) unless networks of these weights are installed."""
    if installed_weights(store) != weights_id:
        raise AssetMissing(
            "networks_missing",
            "The networks that made this avatar's neural texture are not installed.",
            "Import the same rome.pth, or render with --renderer textured.",
        )


def _feed_forward(
    head: HeadModel, store: AssetStore, device: torch.device, tightness: float = 0.0
) -> FeedForward:
    mask = offset_mask(head, _mean_offsets(store))
    mask = tightened(mask, kept_vertices(head), tightness)
    surface = head_surface(head, mask, device)
    return FeedForward(_rome_networks(store, device), surface, FeedForwardOptions())


def _rome_networks(store: AssetStore, device: torch.device) -> RomeNetworks:
    parts, _ = split_checkpoint(_tensors(choices.ROME_NETWORKS, store))
    return for_inference(rome_networks(parts, fold=False), device)


def _mean_offsets(store: AssetStore) -> Any:
    """Return ROME's mean offsets (V, 3), whose support may move, or None."""
    if rome_table_kinds.MEAN_OFFSETS not in {record.name for record in store.list()}:
        return None
    return _tensors(rome_table_kinds.MEAN_OFFSETS, store)["table"].numpy()


def _linear(store: AssetStore, device: torch.device) -> LinearModel:
    state = with_counters(_tensors(choices.LINEAR_NETWORK, store))
    network = folded(load_network("linear_resnet50", state)).to(device)
    basis = _tensors(rome_table_kinds.OFFSET_BASIS, store)["table"].to(device)
    mean = _tensors(rome_table_kinds.MEAN_OFFSETS, store)["table"].to(device)
    return LinearModel(network, basis, mean)


def _tensors(name: str, store: AssetStore) -> State:
    tensors, _ = read_tensors(store.verify(name))
    return {key: torch.from_numpy(array) for key, array in tensors.items()}


def with_counters(state: State) -> State:
    """Return a state with the batch counters that assets leave out, which inference ignores."""
    counters = {
        name.removesuffix("running_var") + "num_batches_tracked": torch.tensor(0)
        for name in state
        if name.endswith("running_var")
    }
    return state | counters
