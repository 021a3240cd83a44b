# SPDX-License-Identifier: Apache-2.0
"""The tables of names and shapes against the networks that exist, and against published counts."""

from __future__ import annotations

import math

import pytest

from rome_backend.assets import network_shapes as shapes
from rome_backend.assets import network_shapes_inception as inception
from rome_backend.assets import network_shapes_more as more
from rome_backend.assets.network_kinds import rome_shapes
from rome_backend.models.key_map import NETWORKS, expected_state

OURS = {
    "E_tex": shapes.texture_encoder(),
    "E_geom": shapes.unet(32),
    "E_img": shapes.unet(4),
    "G_geom": shapes.offsets_net(),
    "E_flame": shapes.face_regressor(),
    "linear_resnet50": shapes.resnet50(60),
    "mobilenet_v2": shapes.mobilenet_v2(59),
}


@pytest.mark.parametrize("network", OURS)
def test_tables_are_what_the_networks_load(network: str) -> None:
    expected = {
        name: tuple(tensor.shape)
        for name, tensor in expected_state(network).items()
        if not name.endswith("num_batches_tracked")
    }
    assert OURS[network] == expected


def test_a_checkpoint_holds_the_four_networks_under_their_prefixes() -> None:
    wanted = {
        NETWORKS[name].prefix + tensor
        for name in ("E_tex", "E_geom", "G_geom", "E_img")
        for tensor in OURS[name]
    }
    assert set(rome_shapes()) == wanted and len(wanted) == 308


def _count(table: shapes.Shapes) -> int:
    """Trainable numbers: running statistics left out."""
    return sum(math.prod(shape) for name, shape in table.items() if "running" not in name)


@pytest.mark.parametrize(
    ("table", "published"),
    [
        (shapes.vgg19(), 20_024_384),
        (shapes.gaze_vgg16(), 14_714_688),
        (shapes.alexnet(), 2_469_696),
        (shapes.lpips((64, 192, 384, 256, 256)), 1_152),
        (shapes.lpips((64, 128, 256, 512, 512)), 1_472),
        (more.vggface2_resnet50(), 23_508_032),
        (inception.inception(), 23_834_568 + 8 * 2049),  # torchvision's, with 8 classes more
        (shapes.mobilenet_v2(1000), 3_504_872),
        (shapes.resnet50(1000), 25_557_032),
    ],
)
def test_sizes_are_the_published_ones(table: shapes.Shapes, published: int) -> None:
    assert _count(table) == published


def test_modnet_repeats_torchvisions_backbone_in_flat_names() -> None:
    backbone = {n: s for n, s in more.modnet().items() if n.startswith("backbone.model.features.")}
    theirs = shapes.mobilenet_v2(None)
    assert sorted(map(str, backbone.values())) == sorted(map(str, theirs.values()))
    assert backbone["backbone.model.features.2.conv.6.weight"] == (24, 96, 1, 1)
    assert backbone["backbone.model.features.1.conv.3.weight"] == (16, 32, 1, 1)
    assert {int(n.split(".")[5]) for n in backbone if ".5.conv." in n} == {0, 1, 3, 4, 6, 7}
