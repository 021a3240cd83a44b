# SPDX-License-Identifier: Apache-2.0
"""Times the networks: the released architecture as it was written, as we run it, and the light one.

Does not know photos: weights are random, inputs have the right sizes and ranges. Times do not
depend on weights; errors are those of random weights, which are the worst case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from rome_backend.bench.rounds import Ratio, Way, in_turns, ratio
from rome_backend.core.errors import AssetMissing
from rome_backend.inference.int8 import Int8Network, psnr_db
from rome_backend.inference.precision import FastNetwork, choose_precision
from rome_backend.models.harmonic import encode_picture
from rome_backend.models.offsets import OffsetsParams, make_offsets_net
from rome_backend.models.texture_encoder import make_texture_encoder
from rome_backend.models.unet import GEOMETRY, PICTURE, make_unet

SIDE = 256
VERTICES = 5023  # FLAME's, the only topology of the released weights
MOVABLE = 724  # of them: hair and neck; the others' offsets are 0 whatever the network says
SEED = 3

Network = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class FrameNetworks:
    """What a driven frame of the released system runs, each as a function of tensors."""

    geometry: Network
    offsets: Network
    picture: Network
    vertices: int
    """Of how many vertices offsets are asked for; as released, of all."""

    def frame(self, inputs: FrameInputs) -> torch.Tensor:
        """Return the picture (1, 4, S, S) of a frame, RGB and mask in [0, 1]."""
        encoded = inputs.encoded_uv[:, : self.vertices]
        self.offsets(torch.cat([self._latent(inputs), encoded], dim=-1))
        return torch.sigmoid(self.picture(inputs.seen))

    def _latent(self, inputs: FrameInputs) -> torch.Tensor:
        latent = self.geometry(inputs.head)
        return latent.flatten(2).transpose(1, 2)[:, : self.vertices]


@dataclass(frozen=True)
class FrameInputs:
    """head (1, 47, S, S): neural texture and encoded positions; encoded_uv (1, V, 26);
    seen (1, 47, S, S): textured head and encoded normals. All f32."""

    head: torch.Tensor
    encoded_uv: torch.Tensor
    seen: torch.Tensor


def frame_inputs(seed: int) -> FrameInputs:
    """Return random inputs of a frame in the ranges that a real one has."""
    generator = torch.Generator().manual_seed(seed)

    def picture() -> torch.Tensor:
        texture = torch.randn(1, 8, SIDE, SIDE, generator=generator)
        vectors = torch.rand(1, 3, SIDE, SIDE, generator=generator) * 2 - 1
        return torch.cat([texture, encode_picture(vectors)], dim=1)

    columns = OffsetsParams().in_channels - GEOMETRY.out_channels
    encoded = torch.rand(1, VERTICES, columns, generator=generator) * 2 - 1
    return FrameInputs(picture(), encoded, picture())


def bench_official(rounds: int) -> tuple[dict[str, Ratio | float | None], dict[str, list[float]]]:
    """Return ratios and seconds of the released architecture at 256.

    frame_official_vs_eager: a driven frame (E_geom, G_geom, E_img) as we run it against eager
    float32 without folding; frame_official_psnr_db, its picture against that one's;
    frame_fastest_vs_eager and frame_fastest_psnr_db: in 8-bit integers, None where OpenVINO is not
    installed; texture_encoder_vs_eager: E_tex in float32, and texture_encoder_psnr_db.
    """
    torch.manual_seed(SEED)
    encoder = make_texture_encoder()
    source = torch.rand(1, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(SEED))
    inputs, kinds = frame_inputs(SEED), _frame_kinds()
    encoders = {"eager": _eager(encoder), "ours": _fast(encoder, delicate=True)}
    ways: dict[str, Way] = {f"frame_{name}": partial(kinds[name].frame, inputs) for name in kinds}
    ways |= {f"texture_encoder_{name}": partial(run, source) for name, run in encoders.items()}
    seconds = in_turns(ways, rounds)
    ratios: dict[str, Ratio | float | None] = {}
    expected = kinds["eager"].frame(inputs)[:, :3]
    for name in ("official", "fastest"):
        ratios[f"frame_{name}_vs_eager"] = ratios[f"frame_{name}_psnr_db"] = None
        if name in kinds:
            found = kinds[name].frame(inputs)[:, :3]
            ratios[f"frame_{name}_psnr_db"] = psnr_db(found, expected, peak=1.0)
            quick = seconds[f"frame_{name}"]
            ratios[f"frame_{name}_vs_eager"] = ratio(seconds["frame_eager"], quick)
    slow, quick = seconds["texture_encoder_eager"], seconds["texture_encoder_ours"]
    ratios["texture_encoder_vs_eager"] = ratio(slow, quick)
    ratios["texture_encoder_psnr_db"] = psnr_db(encoders["ours"](source), encoders["eager"](source))
    return ratios, seconds


def _frame_kinds() -> dict[str, FrameNetworks]:
    """Return a frame's networks, all with the same weights: eager, official and, maybe, fastest."""
    networks = make_unet(GEOMETRY), make_offsets_net(), make_unet(PICTURE)
    eager, ours = ([make(network) for network in networks] for make in (_eager, _fast))
    kinds = {
        "eager": FrameNetworks(eager[0], eager[1], eager[2], VERTICES),
        "official": FrameNetworks(ours[0], ours[1], ours[2], MOVABLE),
    }
    fastest = _int8(*networks)
    return kinds if fastest is None else kinds | {"fastest": fastest}


def _eager(network: nn.Module) -> Network:
    network = network.eval()

    def run(values: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return network(values)

    return run


def _fast(network: nn.Module, delicate: bool = False) -> Network:
    return FastNetwork(network, choose_precision("float32" if delicate else "auto"))


def _int8(geometry: nn.Module, offsets: nn.Module, picture: nn.Module) -> FrameNetworks | None:
    """Return the frame's U-Nets in 8 bits, or None where OpenVINO is not installed."""
    examples = [frame_inputs(SEED + number) for number in range(1, 5)]
    try:
        return FrameNetworks(
            Int8Network(geometry, [each.head for each in examples]),
            _fast(offsets),
            Int8Network(picture, [each.seen for each in examples]),
            MOVABLE,
        )
    except AssetMissing:
        return None
