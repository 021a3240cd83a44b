# SPDX-License-Identifier: Apache-2.0
"""The one map between the tensor names of the released files and those of our networks.

Does not know files: states are mappings from names to tensors.

Source: rome-spec section 1.9 and rome-state-dict.txt. Of a ROME checkpoint the four prefixes of
inference (and the discriminator's, for training) are taken; the rest is reported, never loaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from rome_backend.models.camera_regressor import make_camera_regressor
from rome_backend.models.discriminator import make_discriminator
from rome_backend.models.face_regressor import make_face_regressor
from rome_backend.models.linear_offsets import make_linear_offsets_net
from rome_backend.models.offsets import make_offsets_net
from rome_backend.models.texture_encoder import make_texture_encoder
from rome_backend.models.unet import GEOMETRY, PICTURE, make_unet

State = Mapping[str, torch.Tensor]

_UNET = (
    ("encoder.{}.0.main.", "encoder.{}.main."),
    ("decoder.{}.0.main.", "decoder.{}.main."),
    ("to_outputs.", "outputs."),
)


class WrongWeights(ValueError):
    """A state does not fit its network; ``problems`` names every tensor, a line each."""

    def __init__(self, network: str, problems: list[str]) -> None:
        shown = "; ".join(problems[:5])
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        super().__init__(f"the weights of {network} do not fit: {shown}{more}")
        self.problems = tuple(problems)


@dataclass(frozen=True)
class NetworkKeys:
    """How one network is made and named.

    make: its factory; prefix: of its tensors in a ROME checkpoint, "" when it has a file of its
    own; renamed: pairs (official, ours) of starts of a name, {} standing for a number.
    """

    make: Callable[[], nn.Module]
    prefix: str
    renamed: tuple[tuple[str, str], ...] = ()


NETWORKS: dict[str, NetworkKeys] = {
    "E_tex": NetworkKeys(make_texture_encoder, "autoencoder.", (("net.", "layers."),)),
    "E_geom": NetworkKeys(lambda: make_unet(GEOMETRY), "mesh_deformer.", _UNET),
    "G_geom": NetworkKeys(
        make_offsets_net,
        "mlp_deformer.",
        (("block_1.", "first."), ("block_2.", "second.")),
    ),
    "E_img": NetworkKeys(lambda: make_unet(PICTURE), "unet.", _UNET),
    "discriminator": NetworkKeys(
        make_discriminator,
        "discriminator.",
        (("net_0256.blocks.{}.main.", "blocks.{}."), ("net_0256.to_scores.", "scores.")),
    ),
    "E_flame": NetworkKeys(make_face_regressor, ""),
    "linear_resnet50": NetworkKeys(make_linear_offsets_net, ""),
    "mobilenet_v2": NetworkKeys(make_camera_regressor, ""),
}
INFERENCE = ("E_tex", "E_geom", "G_geom", "E_img")


def our_name(network: str, official: str) -> str:
    """Return our name of a tensor, given without the checkpoint's prefix; else the same name."""
    return _rename(official, NETWORKS[network].renamed)


def official_name(network: str, ours: str) -> str:
    """Return the official name of our tensor, without the checkpoint's prefix."""
    return _rename(ours, tuple((new, old) for old, new in NETWORKS[network].renamed))


def _rename(name: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for before, after in pairs:
        match = re.match(re.escape(before).replace(r"\{\}", r"(\d+)"), name)
        if match:
            return after.format(*match.groups()) + name[match.end() :]
    return name


def from_official(network: str, state: State) -> dict[str, torch.Tensor]:
    """Return an official state (names without prefix) under our names."""
    return {our_name(network, name): tensor for name, tensor in state.items()}


def to_official(network: str, state: State) -> dict[str, torch.Tensor]:
    """Return a state of ours under the official names (without prefix)."""
    return {official_name(network, name): tensor for name, tensor in state.items()}


def split_checkpoint(state: State) -> tuple[dict[str, dict[str, torch.Tensor]], tuple[str, ...]]:
    """Cut a ROME checkpoint into the states of its networks, still under official names.

    Returns:
        network -> state without prefix, for the networks that the checkpoint has tensors of;
        the names that belong to none of them (FLAME, DECA and other things not to be loaded).
    """
    parts: dict[str, dict[str, torch.Tensor]] = {}
    rest = []
    prefixes = {keys.prefix: name for name, keys in NETWORKS.items() if keys.prefix}
    for name, tensor in state.items():
        prefix = name.partition(".")[0] + "."
        if prefix in prefixes:
            parts.setdefault(prefixes[prefix], {})[name.removeprefix(prefix)] = tensor
        else:
            rest.append(name)
    return parts, tuple(rest)


def expected_state(network: str) -> dict[str, torch.Tensor]:
    """Return a network's state under official names as tensors without data (device meta)."""
    with torch.device("meta"):
        return to_official(network, NETWORKS[network].make().state_dict())


def state_problems(network: str, state: State) -> list[str]:
    """Return a line for every official tensor that is missing, unknown, misshapen or not finite."""
    expected = expected_state(network)
    found = [f"{name} is missing" for name in expected if name not in state]
    for name, tensor in state.items():
        if name not in expected:
            found.append(f"{name} is unknown")
        elif tensor.shape != expected[name].shape:
            shapes = f"{tuple(tensor.shape)} instead of {tuple(expected[name].shape)}"
            found.append(f"{name} is {shapes}")
        elif tensor.is_floating_point() != expected[name].is_floating_point():
            found.append(f"{name} is {tensor.dtype} instead of {expected[name].dtype}")
        elif not torch.isfinite(tensor).all():
            found.append(f"{name} has numbers that are not finite")
    return found


def load_network(network: str, state: State) -> nn.Module:
    """Return a network with the weights of an official state (names without prefix), strictly.

    The module is in evaluation mode and in float32. Raises WrongWeights naming every tensor that
    does not fit, and KeyError on a network that does not exist.
    """
    problems = state_problems(network, state)
    if problems:
        raise WrongWeights(network, problems)
    with torch.device("meta"):
        module = NETWORKS[network].make()
    own = {
        name: tensor.detach().clone().float() if tensor.is_floating_point() else tensor.clone()
        for name, tensor in from_official(network, state).items()
    }
    module.load_state_dict(own, strict=True, assign=True)
    return module.requires_grad_(True).eval()
