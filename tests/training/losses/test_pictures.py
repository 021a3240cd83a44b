# SPDX-License-Identifier: Apache-2.0
"""Losses that see pictures through a network: its layers, crops, eyes, and where gradients go."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rome_backend.assets import network_shapes as shapes
from rome_backend.assets.network_shapes_more import vggface2_resnet50
from rome_backend.assets.store import AssetStore
from rome_backend.core.tensor_file import write_tensors
from rome_backend.tracking.alignment import crop_box, face_crop
from training.losses.gaze import SIDE, eye_masks, gaze
from training.losses.identity import (
    FaceRecogniser,
    face_crops,
    face_recogniser,
    identity,
    recogniser_input,
)
from training.losses.networks import ASSETS, loss_networks
from training.losses.vgg import (
    LAYER_WEIGHTS,
    VGG16_BLOCKS,
    VGG19_BLOCKS,
    VggFeatures,
    perceptual,
    vgg_features,
)


@pytest.fixture
def face() -> np.ndarray:
    """68 landmarks in NDC: an oval, with two eyes in their places."""
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points = np.stack([0.5 * np.cos(turn), 0.6 * np.sin(turn)], -1)
    small = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    eye = np.stack([0.08 * np.cos(small), 0.04 * np.sin(small)], -1)
    points[36:42], points[42:48] = eye + [-0.2, -0.1], eye + [0.2, -0.1]
    return points


@pytest.fixture(scope="module")
def small_vgg() -> VggFeatures:
    torch.manual_seed(0)
    return VggFeatures(((4,), (4, 6), (6, 8), (8, 8), (8, 8)))


def test_layers_are_those_of_torchvision() -> None:
    for blocks, wanted in ((VGG19_BLOCKS, shapes.vgg19()), (VGG16_BLOCKS, shapes.gaze_vgg16())):
        plain = {name.partition(".")[2]: shape for name, shape in wanted.items()}
        with torch.device("meta"):
            state = VggFeatures(blocks).state_dict()
        found = {name: tuple(tensor.shape) for name, tensor in state.items()}
        assert found.items() <= plain.items()
        last = max(int(name.partition(".")[0]) for name in found)
        assert last == {VGG19_BLOCKS: 28, VGG16_BLOCKS: 24}[blocks]  # before relu5_1


def test_levels_halve_and_the_first_is_a_plain_convolution(small_vgg: VggFeatures) -> None:
    picture = torch.rand(1, 3, 32, 32)
    levels = small_vgg(picture)
    assert [level.shape[-1] for level in levels] == [32, 16, 8, 4, 2]
    mean, spread = (
        torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    first = torch.relu(small_vgg.get_submodule("0")((picture - mean) / spread))
    assert torch.allclose(levels[0], first)


def test_weights_are_taken_by_name_and_must_be_complete(small_vgg: VggFeatures) -> None:
    blocks = ((4,), (4, 6), (6, 8), (8, 8), (8, 8))
    state = {f"features.{name}": value for name, value in small_vgg.state_dict().items()}
    again = vgg_features(blocks, state | {"features.99.weight": torch.zeros(1)}, "features.")
    picture = torch.rand(1, 3, 16, 16)
    assert torch.equal(again(picture)[-1], small_vgg(picture)[-1])
    del state["features.0.bias"]
    with pytest.raises(RuntimeError, match="0.bias"):
        vgg_features(blocks, state, "features.")


def test_the_perceptual_distance_is_weighted_by_level(small_vgg: VggFeatures) -> None:
    found = torch.rand(1, 3, 32, 32, requires_grad=True)
    wanted = torch.rand(1, 3, 32, 32, requires_grad=True)
    loss = perceptual(small_vgg, found, wanted)
    each = [(a - b).abs().mean() for a, b in zip(small_vgg(found), small_vgg(wanted), strict=True)]
    assert loss.item() == pytest.approx(
        sum(weight * e.item() for weight, e in zip(LAYER_WEIGHTS, each, strict=True)), rel=1e-5
    )
    loss.backward()
    assert found.grad is not None and wanted.grad is None
    assert all(parameter.grad is None for parameter in small_vgg.parameters())


def test_the_gaze_loss_trains_the_eyes_alone(small_vgg: VggFeatures, face: np.ndarray) -> None:
    mask = eye_masks(face[None])[0, 0]
    centre = [int((coordinate + 1) / 2 * SIDE) for coordinate in (-0.2, -0.1)]
    assert mask.shape == (SIDE, SIDE) and mask[centre[1], centre[0]] > 0.95
    assert mask[: SIDE // 4].max() == 0 and 0.01 < mask.mean() < 0.1
    found = torch.rand(1, 3, SIDE, SIDE, requires_grad=True)
    loss = gaze(small_vgg, found, torch.rand(1, 3, SIDE, SIDE), face[None])
    loss.backward()
    assert found.grad is not None
    grad = found.grad[0].abs().sum(0)
    assert loss > 0 and grad[mask > 0.5].sum() > 0 and grad[mask == 0].eq(0).all()


def test_crops_are_those_of_the_tracker(face: np.ndarray) -> None:
    pictures = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    shifted = 0.7 * face + [0.1, 0.05]
    crops = face_crops(pictures, np.stack([face, shifted]))
    for number, points in enumerate((face, shifted)):
        wanted = face_crop(pictures[number].numpy(), crop_box(points))
        assert np.abs(crops[number].numpy() - wanted).max() < 1e-4


def test_the_recogniser_has_the_released_names_and_sees_bytes_less_the_mean() -> None:
    with torch.device("meta"):
        network = FaceRecogniser()
        features = network(torch.zeros(2, 3, 224, 224))
    assert features.shape == (2, 2048)
    found = {n: tuple(t.shape) for n, t in network.state_dict().items() if "num_batches" not in n}
    assert found == vggface2_resnet50()
    with pytest.raises(RuntimeError, match="conv5_3_3x3.weight"):
        face_recogniser({name: torch.zeros(shape) for name, shape in list(found.items())[:4]})
    seen = recogniser_input(torch.ones(1, 3, 224, 224))
    assert seen[0, :, 0, 0].tolist() == pytest.approx([123.9088, 151.1173, 163.5047], abs=1e-3)
    quirk = recogniser_input(torch.ones(1, 3, 224, 224), "released")
    assert quirk.shape == seen.shape and quirk[0, 0, 0, 0] == pytest.approx(2 * 123.9088 - 1)


def test_identity_is_lowest_for_the_same_direction() -> None:
    features = torch.rand(3, 16, generator=torch.Generator().manual_seed(4)) - 0.5
    assert identity(2 * features, features).item() == pytest.approx(-1, abs=1e-6)
    assert identity(-features, features, "released").item() == pytest.approx(2, abs=1e-6)


def test_losses_without_their_network_are_off_and_said_to_be(
    tmp_path, caplog: pytest.LogCaptureFixture
) -> None:
    store = AssetStore(tmp_path)
    networks = loss_networks(store)
    assert networks.missing == ("gaze", "identity", "perceptual")
    assert [record.message for record in caplog.records if "is off" in record.message]
    random = np.random.default_rng(0)
    tensors = {
        name: random.normal(0, 0.05, shape).astype(np.float32)
        for name, shape in shapes.gaze_vgg16().items()
    }
    asset = ASSETS["gaze"]
    store.place(asset, "gaze.safetensors", lambda p: write_tensors(p, tensors, {}), "X", "Y")
    networks = loss_networks(store)
    assert networks.missing == ("identity", "perceptual") and networks.gaze is not None
    weight = networks.gaze.state_dict()["24.weight"].numpy()
    assert np.array_equal(weight, tensors["left_features.24.weight"])
