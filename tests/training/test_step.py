# SPDX-License-Identifier: Apache-2.0
"""A training step: where each loss's gradient goes, ablations, accumulation, skipped steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from rome_backend.core.types import HeadModel
from training.batch import Batch, Sample, collate, draw
from training.config import LossWeights, TrainConfig, ablated
from training.losses.identity import FaceRecogniser
from training.losses.networks import LossNetworks
from training.losses.vgg import VggFeatures
from training.make_trainee import make_trainee
from training.objective import Objective
from training.step import StepReport, make_optimizers, take_step
from training.trainee import Trainee

SMALL_VGG = ((2,), (2, 2), (2, 2), (2, 2), (2, 2))
GEOMETRY = {"geometry", "offsets"}
ALL = {"texture_encoder", "picture", *GEOMETRY}
TABLE = {  # rome-spec section 4, gradient routing
    "perceptual": ALL,
    "gaze": ALL,
    "identity": ALL,
    "adversarial": ALL,
    "feature_matching": ALL,
    "dice": ALL,
    "colour": ALL,
    "occupancy_hair": GEOMETRY,
    "occupancy_whole": GEOMETRY,
    "chamfer": GEOMETRY,
    "laplacian": GEOMETRY,
}


class _SmallRecogniser(FaceRecogniser):
    """A stand-in with the same interface: colours of the crop."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)

    def forward(self, face: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(face, 56).flatten(1)


@pytest.fixture(scope="module")
def networks() -> LossNetworks:
    torch.manual_seed(3)
    return LossNetworks(VggFeatures(SMALL_VGG), VggFeatures(SMALL_VGG), _SmallRecogniser())


@pytest.fixture
def batch(make_sample: Callable[[int], Sample]) -> Batch:
    return collate([make_sample(1), make_sample(2)])


@pytest.fixture
def trainee(tiny_config: TrainConfig, small_head: HeadModel) -> Trainee:
    return make_trainee(tiny_config.sizes, small_head, seed=1)


def reached(trainee: Trainee) -> set[str]:
    """The networks with a gradient that is not 0."""
    return {
        name
        for name, module in trainee.modules().items()
        if any(p.grad is not None and p.grad.abs().max() > 0 for p in module.parameters())
    }


@pytest.mark.parametrize("name", TABLE)
def test_each_gradient_reaches_exactly_its_networks(
    name: str,
    trainee: Trainee,
    batch: Batch,
    tiny_config: TrainConfig,
    small_head: HeadModel,
    networks: LossNetworks,
) -> None:
    if name == "gaze":  # 224 px and eye masks are no place for 16 px: two eyes far apart
        batch = replace(batch, landmarks=1.6 * batch.landmarks)
    alone = LossWeights(**{each: float(each == name) for each in vars(LossWeights())})
    objective = Objective(replace(tiny_config, weights=alone), small_head, networks)
    assert objective.active == (name,) and not objective.off
    trainee.discriminator.requires_grad_(False)
    objective.total(objective.values(objective.scene(trainee, batch, 0))).backward()
    assert reached(trainee) == TABLE[name]


def test_held_regions_get_no_gradient(
    trainee: Trainee, batch: Batch, tiny_config: TrainConfig, small_head: HeadModel
) -> None:
    """Occupancy of the hair holds the neck, that of the whole holds the hair."""
    objective = Objective(tiny_config, small_head, LossNetworks())
    scene = objective.scene(trainee, batch, 0)
    values = objective.values(scene)
    for name, held, moved in (
        ("occupancy_hair", "neck", "hair"),
        ("occupancy_whole", "hair", "neck"),
    ):
        (grad,) = torch.autograd.grad(values[name], scene.driven.projected, retain_graph=True)
        rows = grad[..., :2].abs().sum((0, 2))
        assert rows[torch.as_tensor(small_head.regions[held])].eq(0).all(), name
        assert rows[torch.as_tensor(small_head.regions[moved])].max() > 0, name


def test_the_discriminator_s_gradient_reaches_it_alone(
    trainee: Trainee, batch: Batch, tiny_config: TrainConfig, small_head: HeadModel
) -> None:
    objective = Objective(tiny_config, small_head, LossNetworks())
    scene = objective.scene(trainee, batch, 0)
    loss = objective.discriminator_loss(trainee, scene.found.detach(), scene.wanted.detach())
    loss.backward()
    assert reached(trainee) == {"discriminator"}


def test_prediction_and_truth_share_their_ground(
    trainee: Trainee, batch: Batch, tiny_config: TrainConfig, small_head: HeadModel
) -> None:
    objective = Objective(tiny_config, small_head, LossNetworks())
    scenes = [objective.scene(trainee, batch, step) for step in (0, 0, 1)]
    assert torch.equal(scenes[0].wanted, scenes[1].wanted)
    assert not torch.equal(scenes[0].wanted, scenes[2].wanted)
    mask = scenes[0].driven.rendered.soft_mask
    apart = scenes[0].found - scenes[0].wanted
    inside = mask * (scenes[0].driven.rendered.rgb - batch.target)
    assert torch.allclose(apart, inside, atol=1e-6)


def test_losses_without_networks_are_off_with_a_reason(
    tiny_config: TrainConfig, small_head: HeadModel
) -> None:
    weights = replace(tiny_config.weights, perceptual=1.0, gaze=1.0, landmarks=1.0)
    objective = Objective(replace(tiny_config, weights=weights), small_head, LossNetworks())
    assert objective.off == {
        "gaze": "gaze-vgg16 is not installed",
        "perceptual": "vgg19 is not installed",
        "landmarks": "the head model does not have all 68",
    }
    assert not objective.off.keys() & set(objective.active)


@pytest.mark.parametrize("moving", ["no_offsets", "free_offsets"])
def test_ablated_offsets(
    moving: str, tiny_config: TrainConfig, small_head: HeadModel, batch: Batch
) -> None:
    config = ablated(tiny_config, moving)
    trainee = make_trainee(config.sizes, small_head, seed=1)
    objective = Objective(config, small_head, LossNetworks())
    offsets = objective.scene(trainee, batch, 0).driven.offsets
    face = torch.as_tensor(small_head.regions["face"])
    if moving == "no_offsets":
        assert offsets.eq(0).all() and "laplacian" in objective.off
    else:
        assert offsets[:, face].abs().max() > 0 and not objective.off


def states(trainee: Trainee) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{key}": value.clone()
        for name, module in trainee.modules().items()
        for key, value in module.state_dict().items()
    }


def step_in_parts(
    tiny_config: TrainConfig, small_head: HeadModel, parts: list[Batch], steps: int
) -> tuple[Trainee, StepReport]:
    trainee = make_trainee(tiny_config.sizes, small_head, seed=1)
    objective = Objective(tiny_config, small_head, LossNetworks())
    optimizers = make_optimizers(trainee, tiny_config)
    for number in range(steps):
        report = take_step(trainee, objective, optimizers, parts, number)
    return trainee, report


def test_gradients_do_not_depend_on_how_a_batch_is_divided(
    tiny_config: TrainConfig, small_head: HeadModel, make_sample: Callable[[int], Sample]
) -> None:
    samples = [make_sample(number) for number in range(4)]
    parts = [collate(samples)], [collate(samples[:2]), collate(samples[2:])]
    (whole, first), (divided, second) = (
        step_in_parts(tiny_config, small_head, each, steps=1) for each in parts
    )
    both = ([p for m in t.modules().values() for p in m.parameters()] for t in (whole, divided))
    for one, other in zip(*both, strict=True):
        assert one.grad is not None and other.grad is not None
        assert (one.grad - other.grad).abs().max() <= 1e-4 * one.grad.abs().max() + 1e-7
    for name, value in first.losses.items():
        if name != "discriminator":  # it sees what a step of 1e-3 has made of rounding
            assert value == pytest.approx(second.losses[name], rel=1e-4), name


def test_both_players_step_and_the_power_iteration_is_taken_once(
    tiny_config: TrainConfig, small_head: HeadModel, trainee: Trainee, batch: Batch
) -> None:
    before = states(trainee)
    expected = make_trainee(tiny_config.sizes, small_head, seed=1)
    expected.iterate_spectral_norms()
    take_step(
        trainee,
        Objective(tiny_config, small_head, LossNetworks()),
        make_optimizers(trainee, tiny_config),
        [batch, batch],
        0,
    )
    after = states(trainee)
    changed = {
        name.partition(".")[0] for name in after if not torch.equal(before[name], after[name])
    }
    assert changed == {*ALL, "discriminator"}
    for name, value in states(expected).items():
        if name.endswith(("weight_u", "weight_v")):
            assert torch.equal(after[name], value)


def test_steps_with_gradients_that_are_not_finite_are_skipped(
    tiny_config: TrainConfig, small_head: HeadModel, trainee: Trainee, batch: Batch
) -> None:
    broken = replace(batch, source=torch.full_like(batch.source, torch.nan))
    before = states(trainee)
    objective = Objective(tiny_config, small_head, LossNetworks())
    report = take_step(trainee, objective, make_optimizers(trainee, tiny_config), [broken], 0)
    assert report.skipped == ("generator", "discriminator")
    for name, value in states(trainee).items():
        if not name.endswith(("weight_u", "weight_v")):
            assert torch.equal(value, before[name]), name


def test_the_loss_falls_on_a_batch_seen_again(
    tiny_config: TrainConfig, small_head: HeadModel, batch: Batch
) -> None:
    config = replace(tiny_config, weights=replace(tiny_config.weights, adversarial=0.0))
    _, first = step_in_parts(config, small_head, [batch], 1)
    _, later = step_in_parts(config, small_head, [batch], 12)
    assert later.losses["total"] < 0.8 * first.losses["total"]


def test_lower_precision_changes_little_and_geometry_not_at_all(
    tiny_config: TrainConfig, small_head: HeadModel, batch: Batch
) -> None:
    full, lower = (
        make_trainee(tiny_config.sizes, small_head, seed=1, precision=precision)
        for precision in ("float32", "bfloat16")
    )
    rendered = [each.drive(batch).rendered for each in (full, lower)]
    apart = (rendered[0].rgb - rendered[1].rgb).abs()
    assert 0 < apart.mean() < 0.02 and rendered[1].rgb.dtype == torch.float32
    assert all(p.dtype == torch.float32 for p in lower.generator_parameters())
    assert lower.judge(batch.target).scores.dtype == torch.float32


def test_the_paper_s_segmentation_network_is_trained_too(
    tiny_config: TrainConfig, small_head: HeadModel, batch: Batch
) -> None:
    sizes = replace(tiny_config.sizes, separate_segmentation=True)
    config = replace(tiny_config, sizes=sizes)
    trainee = make_trainee(sizes, small_head, seed=1)
    report = take_step(
        trainee,
        Objective(config, small_head, LossNetworks()),
        make_optimizers(trainee, config),
        [batch],
        0,
    )
    assert not report.skipped and "segmentation" in reached(trainee)


def test_what_is_drawn_depends_on_seed_step_and_sample_alone() -> None:
    def first(*numbers: int) -> float:
        return torch.rand(1, generator=draw(*numbers)).item()

    assert first(1, 2, 3) == first(1, 2, 3)
    assert len({first(1, 2, 3), first(0, 2, 3), first(1, 0, 3), first(1, 2, 0)}) == 4


def test_batches_are_checked(make_sample: Callable[[int], Sample]) -> None:
    sample = make_sample(1)
    batch = collate([sample])
    assert batch.source.shape == (1, 3, 16, 16) and batch.hair.shape == (1, 1, 16, 16)
    assert batch.source[0, 1, 2, 3].item() == pytest.approx(sample.source[2, 3, 1] / 255)
    with pytest.raises(ValueError, match="at least one"):
        collate([])
    with pytest.raises(ValueError, match="one size"):
        replace(sample, hair=sample.hair[:8])
    with pytest.raises(ValueError, match="68"):
        replace(sample, landmarks=sample.landmarks[:10])
