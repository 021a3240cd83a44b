# SPDX-License-Identifier: Apache-2.0
"""The feed-forward system with small networks: what depends on what, options, gradients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rome_backend.avatar.driven_pose import DrivenPose
from rome_backend.avatar.feed_forward import (
    FeedForward,
    FeedForwardOptions,
    RomeNetworks,
    for_inference,
    offset_rows,
    rome_networks,
)
from rome_backend.avatar.head_surface import head_surface
from rome_backend.core.types import HeadModel
from rome_backend.models.key_map import WrongWeights
from rome_backend.models.offsets import OffsetsParams, make_offsets_net
from rome_backend.models.texture_encoder import TextureEncoderParams, make_texture_encoder
from rome_backend.models.unet import UNetParams, make_unet

SIDE = 16
WIDTHS = (8, 8, 8)


@pytest.fixture
def networks() -> RomeNetworks:
    torch.manual_seed(0)
    return RomeNetworks(
        make_texture_encoder(TextureEncoderParams(inner=4, levels=2)),
        make_unet(UNetParams(47, 32, WIDTHS)),
        make_offsets_net(OffsetsParams(width=16)),
        make_unet(UNetParams(47, 4, WIDTHS)),
    )


@pytest.fixture
def system(networks: RomeNetworks, small_head: HeadModel) -> FeedForward:
    return FeedForward(networks, head_surface(small_head))


@pytest.fixture
def pose() -> DrivenPose:
    generator = torch.manual_seed(1)
    return DrivenPose(
        torch.randn(1, 100, generator=generator),
        torch.rand(1, 50, generator=generator),
        torch.tensor([[0.2, 0.0, 0.0]]),
        torch.tensor([[0.1, 0.4, 0.0]]),
        torch.tensor([[6.0, 0.0, 0.0]]),
    )


@pytest.fixture
def texture(system: FeedForward) -> torch.Tensor:
    generator = torch.manual_seed(2)
    picture = torch.rand(1, 3, SIDE, SIDE, generator=generator)
    return system.encode(picture, torch.ones(1, 1, SIDE, SIDE))


def test_the_picture_has_any_size_and_its_values_are_colours(
    system: FeedForward, small_head: HeadModel, pose: DrivenPose, texture: torch.Tensor
) -> None:
    with torch.no_grad():
        driven = system.drive(texture, small_head, pose, (24, 32))
    rendered = driven.rendered
    assert rendered.rgb.shape == (1, 3, 24, 32) and rendered.soft_mask.shape == (1, 1, 24, 32)
    assert 0 <= rendered.rgb.min() and rendered.rgb.max() <= 1
    assert torch.equal(rendered.soft_mask, torch.sigmoid(rendered.mask_logits))
    covered = rendered.fragments.covered()
    assert 0.05 < covered.float().mean() < 0.95
    for layer in (rendered.textured, rendered.normals, rendered.uv):
        assert layer[:, :, ~covered[0]].eq(0).all() and layer.abs().max() > 0


def test_only_masked_vertices_move_and_along_their_normals(
    networks: RomeNetworks, small_head: HeadModel, texture: torch.Tensor
) -> None:
    mask = np.zeros(94, np.float32)
    mask[10:20] = 0.02
    system = FeedForward(networks, head_surface(small_head, mask))
    found = system.offsets(texture, torch.as_tensor(small_head.template)[None])
    assert found.offsets[0, mask == 0].eq(0).all()
    assert found.offsets[0, 10:20].abs().max() > 0
    assert found.factors.abs().max() <= 0.02


def test_offsets_follow_the_expression_unless_they_are_canonical(
    system: FeedForward, small_head: HeadModel, pose: DrivenPose, texture: torch.Tensor
) -> None:
    smiling = replace(pose, expression=pose.expression + 1)
    first, second = (
        system.drive(texture, small_head, each, (16, 16)).offsets for each in (pose, smiling)
    )
    assert (first - second).abs().max() > 1e-6
    canonical = system.canonical_offsets(texture, small_head, pose)
    assert torch.equal(canonical, system.canonical_offsets(texture, small_head, smiling))
    driven = system.drive(texture, small_head, smiling, (16, 16), canonical)
    assert torch.equal(driven.offsets, canonical)


def test_offsets_ignore_rotation_and_camera(
    system: FeedForward, small_head: HeadModel, pose: DrivenPose, texture: torch.Tensor
) -> None:
    turned = replace(pose, rotation=pose.rotation + 0.5, camera=pose.camera * 1.3)
    driven = [system.drive(texture, small_head, each, (16, 16)) for each in (pose, turned)]
    assert torch.equal(driven[0].vertices, driven[1].vertices)
    assert not torch.equal(driven[0].projected, driven[1].projected)


def test_heads_of_a_batch_are_independent(
    system: FeedForward, small_head: HeadModel, pose: DrivenPose
) -> None:
    generator = torch.manual_seed(6)
    textures = torch.randn(2, 8, SIDE, SIDE, generator=generator)
    names = DrivenPose.__annotations__
    other = {name: 1.1 * getattr(pose, name) for name in names}
    both = DrivenPose(**{n: torch.cat([getattr(pose, n), other[n]]) for n in names})
    together = system.drive(textures, small_head, both, (16, 24))
    for number, alone in enumerate((pose, DrivenPose(**other))):
        single = system.drive(textures[number : number + 1], small_head, alone, (16, 24))
        assert torch.allclose(together.vertices[number], single.vertices[0], atol=1e-5)
        assert torch.equal(
            together.rendered.fragments.face_index[number], single.rendered.fragments.face_index[0]
        )
        assert (together.rendered.rgb[number] - single.rendered.rgb[0]).abs().max() < 1e-3


def test_gradients_go_where_the_release_sends_them(
    networks: RomeNetworks, system: FeedForward, small_head: HeadModel, pose: DrivenPose
) -> None:
    """rome-spec section 4: geometry losses reach E_geom and G_geom, photometric ones all four."""
    picture = torch.rand(1, 3, SIDE, SIDE, generator=torch.manual_seed(3))
    matte = torch.ones(1, 1, SIDE, SIDE)

    def reached(photometric: bool) -> set[str]:
        modules = {name: getattr(networks, name) for name in RomeNetworks.__annotations__}
        modules = {name: module for name, module in modules.items() if module is not None}
        for module in modules.values():
            module.zero_grad(set_to_none=True)
        driven = system.drive(system.encode(picture, matte), small_head, pose, (16, 16))
        loss = driven.rendered.rgb.sum() if photometric else driven.projected.square().sum()
        loss.backward()
        return {
            name
            for name, module in modules.items()
            if any(p.grad is not None and p.grad.abs().max() > 0 for p in module.parameters())
        }

    assert reached(photometric=False) == {"geometry", "offsets"}
    assert reached(photometric=True) == {"texture_encoder", "geometry", "offsets", "picture"}


def test_legacy_leaves_depth_and_opens_columns(
    networks: RomeNetworks, small_head: HeadModel, pose: DrivenPose, texture: torch.Tensor
) -> None:
    surface = head_surface(small_head)
    clean = FeedForward(networks, surface)
    legacy = FeedForward(networks, surface, FeedForwardOptions(legacy=True))
    both = [each.drive(texture, small_head, pose, (32, 32)) for each in (clean, legacy)]
    assert torch.allclose(both[1].projected[..., 2], both[0].projected[..., 2] + 20, atol=1e-4)
    assert torch.allclose(both[1].projected[..., :2], both[0].projected[..., :2], atol=1e-4)
    stripe = torch.zeros(1, 1, 32, 32)
    stripe[..., 4] = 1
    rendered = replace(both[0].rendered, soft_mask=stripe)
    ground = torch.ones_like(rendered.rgb)
    assert torch.equal(clean.composite(rendered), ground)
    kept = legacy.composite(rendered)
    assert torch.equal(kept[..., 4], rendered.rgb[..., 4])
    assert torch.equal(kept[..., 5:], ground[..., 5:])


def test_mipmaps_change_small_pictures_alone(
    networks: RomeNetworks, small_head: HeadModel, pose: DrivenPose
) -> None:
    surface = head_surface(small_head)
    texture = torch.rand(1, 8, 64, 64, generator=torch.manual_seed(4))
    plain = FeedForward(networks, surface)
    calm = FeedForward(networks, surface, FeedForwardOptions(mipmaps=True))
    offsets = torch.zeros(1, 94, 3)

    def difference(size: int) -> float:
        found = [
            each.drive(texture, small_head, pose, (size, size), offsets).rendered.textured
            for each in (plain, calm)
        ]
        return float((found[0] - found[1]).abs().mean())

    assert difference(16) > 0.01
    assert difference(512) < difference(16) / 5  # grazing faces remain


def test_a_separate_segmentation_network_makes_the_mask(
    networks: RomeNetworks, small_head: HeadModel, pose: DrivenPose, texture: torch.Tensor
) -> None:
    separate = make_unet(UNetParams(47, 1, WIDTHS, "average", "bilinear"))
    surface = head_surface(small_head)
    both = [
        FeedForward(each, surface).drive(texture, small_head, pose, (16, 16)).rendered
        for each in (networks, replace(networks, segmentation=separate))
    ]
    assert torch.equal(both[0].rgb, both[1].rgb)
    assert not torch.equal(both[0].mask_logits, both[1].mask_logits)


def test_rows_are_latents_then_the_encoded_uv() -> None:
    latent = torch.arange(2.0).view(1, 2, 1, 1).expand(1, 2, 8, 8) + 3
    rows = offset_rows(latent, torch.tensor([[0.0, 0.0], [0.5, -0.25]]))
    assert rows.shape == (1, 2, 28)
    assert rows[0, :, :2].tolist() == [[3.0, 4.0], [3.0, 4.0]]
    assert torch.allclose(rows[0, 1, 2:4], torch.tensor([0.5, -0.25]) * 256 / 255)


def test_networks_without_weights_are_refused() -> None:
    with pytest.raises(WrongWeights, match="E_tex"):
        rome_networks({})


def test_networks_for_inference_give_the_same_and_only_the_drawing_one_may_be_coarse(
    networks: RomeNetworks,
) -> None:
    exact = for_inference(networks, numbers="float32")
    coarse = for_inference(networks, numbers="bfloat16")
    generator = torch.manual_seed(3)
    seen = torch.randn(1, 47, SIDE, SIDE, generator=generator)
    for name in ("geometry", "picture"):
        with torch.no_grad():
            expected = getattr(networks, name).eval()(seen)
        assert torch.allclose(getattr(exact, name)(seen), expected, atol=1e-4)
    assert torch.equal(exact.geometry(seen), coarse.geometry(seen))
    difference = (exact.picture(seen) - coarse.picture(seen)).abs().max()
    assert 1e-4 < difference < 0.1 * expected.abs().max()
    assert exact.segmentation is None and not coarse.picture(seen).requires_grad


def test_the_offsets_network_is_asked_about_vertices_that_may_move(
    networks: RomeNetworks, small_head: HeadModel, texture: torch.Tensor
) -> None:
    asked: list[torch.Size] = []
    networks.offsets.register_forward_pre_hook(lambda _, given: asked.append(given[0].shape))
    mask = np.zeros(94, np.float32)
    mask[[3, 40, 93]] = (0.01, 0.02, 0.03)
    vertices = torch.as_tensor(small_head.template)[None]
    latent = torch.randn(2, 32, SIDE, SIDE, generator=torch.manual_seed(4))
    few = FeedForward(networks, head_surface(small_head, mask))
    found = few.latent_offsets(latent, vertices)
    every = FeedForward(networks, head_surface(small_head, np.ones(94, np.float32)))
    expected = every.latent_offsets(latent, vertices).factors * torch.as_tensor(mask)[:, None]
    torch.testing.assert_close(found.factors, expected, rtol=1e-4, atol=1e-7)
    assert asked == [(2, 3, 58), (2, 94, 58)]
    none = FeedForward(networks, head_surface(small_head, np.zeros(94, np.float32)))
    assert none.latent_offsets(latent, vertices).offsets.eq(0).all()
