# SPDX-License-Identifier: Apache-2.0
"""BiSeNet: published names, its formulas one by one, and what each output depends on."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from rome_backend.assets.network_shapes_more import bisenet
from rome_backend.models.face_parser import CLASSES, FaceParser


@pytest.fixture(scope="module")
def parser() -> FaceParser:
    torch.manual_seed(0)
    network = FaceParser().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # statistics that do something
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.requires_grad_(False)


def test_names_and_shapes_are_the_published_ones(parser: FaceParser) -> None:
    found = {
        name: tuple(value.shape)
        for name, value in parser.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    assert found == bisenet()
    assert sum(value.numel() for value in parser.parameters()) == 13_300_416


def test_a_picture_of_any_size_gets_scores_of_its_size(parser: FaceParser) -> None:
    assert parser(torch.zeros(2, 3, 64, 96)).shape == (2, CLASSES, 64, 96)


def _unit(state: dict[str, torch.Tensor], at: str, values: torch.Tensor) -> torch.Tensor:
    kernel = state[f"{at}.conv.weight"]
    return torch.relu(
        _norm(state, f"{at}.bn", functional.conv2d(values, kernel, padding=kernel.shape[-1] // 2))
    )


def _norm(state: dict[str, torch.Tensor], at: str, values: torch.Tensor) -> torch.Tensor:
    parts = (state[f"{at}.{name}"] for name in ("running_mean", "running_var", "weight", "bias"))
    return functional.batch_norm(values, *parts)


def _mean(values: torch.Tensor) -> torch.Tensor:
    return functional.adaptive_avg_pool2d(values, 1)


def _refined(state: dict[str, torch.Tensor], at: str, values: torch.Tensor) -> torch.Tensor:
    found = _unit(state, f"{at}.conv", values)
    weight = functional.conv2d(_mean(found), state[f"{at}.conv_atten.weight"])
    return found * torch.sigmoid(_norm(state, f"{at}.bn_atten", weight))


def test_the_heads_follow_the_published_formulas(parser: FaceParser) -> None:
    """Everything behind the trunk, written again with plain functions on the state."""
    state = parser.state_dict()
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    fine, middle, coarse = parser.cp.resnet(picture)
    assert [each.shape[1:] for each in (fine, middle, coarse)] == [
        (128, 8, 8), (256, 4, 4), (512, 2, 2),
    ]  # fmt: skip
    wide = _refined(state, "cp.arm32", coarse) + _unit(state, "cp.conv_avg", _mean(coarse))
    wide = _unit(state, "cp.conv_head32", functional.interpolate(wide, (4, 4)))
    near = _refined(state, "cp.arm16", middle) + wide
    near = _unit(state, "cp.conv_head16", functional.interpolate(near, (8, 8)))
    both = _unit(state, "ffm.convblk", torch.cat([fine, near], 1))
    inner = torch.relu(functional.conv2d(_mean(both), state["ffm.conv1.weight"]))
    both = both * torch.sigmoid(functional.conv2d(inner, state["ffm.conv2.weight"])) + both
    scores = functional.conv2d(
        _unit(state, "conv_out.conv", both), state["conv_out.conv_out.weight"]
    )
    wanted = functional.interpolate(scores, (64, 64), mode="bilinear", align_corners=True)
    assert torch.allclose(parser(picture), wanted, atol=1e-5)


def test_the_trunk_is_resnet_18(parser: FaceParser) -> None:
    """Its first block by hand, its number of blocks by name."""
    state = {n: v for n, v in parser.state_dict().items() if n.startswith("cp.resnet.")}
    assert {name.split(".")[2:4][1] for name in state if ".layer" in name} == {"0", "1"}
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    at = "cp.resnet."
    start = functional.conv2d(picture, state[f"{at}conv1.weight"], stride=2, padding=3)
    start = functional.max_pool2d(torch.relu(_norm(state, f"{at}bn1", start)), 3, 2, 1)
    block = f"{at}layer1.0."
    inner = functional.conv2d(start, state[f"{block}conv1.weight"], padding=1)
    inner = torch.relu(_norm(state, f"{block}bn1", inner))
    inner = functional.conv2d(inner, state[f"{block}conv2.weight"], padding=1)
    wanted = torch.relu(_norm(state, f"{block}bn2", inner) + start)
    found = parser.cp.resnet.get_submodule("layer1")[0](start)
    assert torch.allclose(found, wanted, atol=1e-6)
