# SPDX-License-Identifier: Apache-2.0
"""A run's state as files: weights, optimizers, average and configuration, written atomically.

Does not know data or losses. One safetensors container with a JSON header per checkpoint, no
pickle; what is read back is bit for bit what was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rome_backend.core.errors import FileInvalid
from rome_backend.core.tensor_file import read_tensors, write_tensors
from training.config import TrainConfig, config_as_dict, config_from_dict
from training.step import Optimizers
from training.trainee import Trainee

KIND, VERSION = "rome training checkpoint", 1
_FILE = re.compile(r"step-(\d{8})\.safetensors")
_OPTIMIZERS = ("generator", "discriminator")
State = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """What a file says of itself: the steps taken, the configuration, and facts (JSON-able), such
    as which losses were off; its tensors by name."""

    step: int
    config: TrainConfig
    facts: Mapping[str, Any]
    tensors: State = field(repr=False)


def checkpoint_path(folder: Path, step: int) -> Path:
    """Return the file of a step."""
    return folder / f"step-{step:08d}.safetensors"


def checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder, oldest first."""
    return sorted(path for path in folder.glob("step-*") if _FILE.fullmatch(path.name))


def save_checkpoint(
    folder: Path,
    step: int,
    config: TrainConfig,
    trainee: Trainee,
    optimizers: Optimizers,
    average: Mapping[str, torch.Tensor],
    facts: Mapping[str, Any],
) -> Path:
    """Write the state after ``step`` steps; average: of the networks, empty without one."""
    tensors = {f"network.{name}": value for name, value in network_tensors(trainee).items()}
    tensors |= {f"average.{name}": value for name, value in average.items()}
    for player, optimizer in zip(_OPTIMIZERS, optimizers, strict=True):
        for index, values in optimizer.state_dict()["state"].items():
            tensors |= {f"{player}.{index}.{name}": value for name, value in values.items()}
    arrays = {name: value.detach().cpu().numpy() for name, value in tensors.items()}
    metadata = {
        "kind": KIND, "version": VERSION, "step": step,
        "config": config_as_dict(config), "facts": dict(facts),
    }  # fmt: skip
    path = checkpoint_path(folder, step)
    write_tensors(path, arrays, metadata)
    return path


def read_checkpoint(path: Path) -> Checkpoint:
    """Return a checkpoint. Raises FileInvalid (`checkpoint_invalid` and read_tensors' codes)."""
    arrays, metadata = read_tensors(path)
    try:
        if (metadata["kind"], metadata["version"]) != (KIND, VERSION):
            raise ValueError("it is of another kind or version")
        step, facts = int(metadata["step"]), dict(metadata["facts"])
        config = config_from_dict(metadata["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise _invalid(path, str(error)) from error
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return Checkpoint(step, config, facts, tensors)


def _invalid(path: Path, reason: str) -> FileInvalid:
    return FileInvalid(
        "checkpoint_invalid",
        f"{path.name} is no checkpoint of this version: {reason}.",
        "Delete it to continue from the one before, or start in another folder.",
    )


def network_tensors(trainee: Trainee) -> State:
    """Return the weights and buffers of all networks as ``<network>.<name>``."""
    return {
        f"{network}.{name}": value
        for network, module in trainee.modules().items()
        for name, value in module.state_dict().items()
    }


def load_networks(trainee: Trainee, tensors: Mapping[str, torch.Tensor], prefix: str) -> None:
    """Put the tensors ``<prefix>.<network>.<name>`` into a trainee's networks, strictly.

    Raises ValueError when they do not fit. With ``average`` the discriminator keeps its own.
    """
    for network, module in trainee.modules().items():
        start = f"{prefix}.{network}."
        state = {n.removeprefix(start): v for n, v in tensors.items() if n.startswith(start)}
        if prefix == "average" and network == "discriminator":
            continue
        _load(module, state, network)


def _load(module: nn.Module, state: State, network: str) -> None:
    try:
        module.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ValueError(f"the weights of {network} do not fit: {error}") from error


def restore(checkpoint: Checkpoint, path: Path, trainee: Trainee, optimizers: Optimizers) -> State:
    """Put a checkpoint into networks and optimizers; return the averaged networks.

    Raises FileInvalid (`checkpoint_invalid`) when it does not fit.
    """
    tensors = checkpoint.tensors
    try:
        load_networks(trainee, tensors, "network")
        for player, optimizer in zip(_OPTIMIZERS, optimizers, strict=True):
            _restore_optimizer(optimizer, tensors, player)
    except (ValueError, IndexError) as error:
        raise _invalid(path, str(error).splitlines()[0]) from error
    start = "average."
    return {n.removeprefix(start): v for n, v in tensors.items() if n.startswith(start)}


def _restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor], player: str
) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        first, _, rest = name.partition(".")
        if first == player:
            index, _, kind = rest.partition(".")
            state.setdefault(int(index), {})[kind] = value
    groups = optimizer.state_dict()["param_groups"]
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for at, values in state.items():
        shape = parameters[at].shape
        wrong = [name for name, value in values.items() if name != "step" and value.shape != shape]
        if wrong:
            raise ValueError(f"the optimizer's {wrong[0]} of parameter {at} does not fit")
    optimizer.load_state_dict({"state": state, "param_groups": groups})
