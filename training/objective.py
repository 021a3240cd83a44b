# SPDX-License-Identifier: Apache-2.0
"""Puts the losses of a step together: which are on, what each looks at, their weighted sum.

Does not know optimizers or files.

Source: paper section 3.4; rome-spec section 4. The gradient of each loss reaches the networks of
that section's table: geometry losses E_geom and G_geom alone, the others all of the generator.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rome_backend.avatar.feed_forward import DrivenHead
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.landmarks_68 import MEDIAPIPE_68
from rome_backend.core.types import HeadModel, LandmarkTable
from rome_backend.models.discriminator import Judgement
from rome_backend.render.silhouette import SoftSilhouette, soft_silhouette
from training.augment import augmented
from training.batch import Batch, draw
from training.config import TrainConfig
from training.losses import adversarial, chamfer, colour, gaze, geometry, identity, masks, vgg
from training.losses.networks import ASSETS, LossNetworks
from training.trainee import Trainee

_LOG = logging.getLogger(__name__)
_OF_OFFSETS = ("occupancy_hair", "occupancy_whole", "chamfer", "laplacian", "landmarks")


@dataclass(frozen=True)
class Scene:
    """What the losses of one micro-batch look at.

    found, wanted (N, 3, H, W): prediction and truth over the same random ground;
    fake, real: what the discriminator says of them, when a loss asks;
    without_neck, without_hair: soft silhouettes with those vertices held, when a loss asks;
    draws: a generator per sample.
    """

    batch: Batch
    driven: DrivenHead
    found: torch.Tensor
    wanted: torch.Tensor
    draws: Sequence[torch.Generator]
    fake: Judgement | None = None
    real: Judgement | None = None
    without_neck: SoftSilhouette | None = None
    without_hair: SoftSilhouette | None = None


class Objective:
    """The generator's losses of a configuration on a head; ``off`` says which are off and why."""

    def __init__(self, config: TrainConfig, head: HeadModel, networks: LossNetworks) -> None:
        self._config, self._networks = config, networks
        self._faces = torch.as_tensor(np.array(head.faces, np.int64))
        self._around = geometry.neighbours(self._faces, len(head.template))
        self._regions = {
            name: torch.as_tensor(np.array(head.regions[name], bool)) for name in ("hair", "neck")
        }
        self._head = head
        self._table = _table_68(head)
        self.off = self._reasons()
        self.active = tuple(name for name in config.weights.active() if name not in self.off)
        for name, reason in self.off.items():
            _LOG.warning("the %s loss is off: %s", name, reason)

    def _reasons(self) -> Mapping[str, str]:
        wanted = self._config.weights.active()
        sizes = self._config.sizes
        still = sizes.moving == "nowhere" or sizes.start == "photo"
        reasons = {
            **{name: f"{ASSETS[name]} is not installed" for name in self._networks.missing},
            **{name: "no offsets are trained" for name in _OF_OFFSETS if still},
        }
        if self._table is None:
            reasons["landmarks"] = "the head model does not have all 68"
        return {name: reason for name, reason in reasons.items() if name in wanted}

    def _asks(self, *names: str) -> bool:
        return any(name in self.active for name in names)

    def scene(self, trainee: Trainee, batch: Batch, step: int) -> Scene:
        """Render a micro-batch and all that its losses look at."""
        draws = [draw(self._config.seed, step, number) for number in batch.numbers]
        if self._config.sizes.start == "photo":
            batch = augmented(batch, draws)
        driven = trainee.drive(batch)
        ground = torch.stack([torch.rand(3, 1, 1, generator=each) for each in draws])
        ground = ground.to(batch.target)
        found, wanted = self._shown(driven, batch, ground)
        fake = real = without_neck = without_hair = None
        if self._asks("adversarial", "feature_matching"):
            fake = trainee.judge(found)
            with torch.no_grad():
                real = trainee.judge(wanted)
        if self._asks("occupancy_hair", "chamfer"):
            without_neck = self._silhouette(driven, batch, "neck")
        if self._asks("occupancy_whole"):
            without_hair = self._silhouette(driven, batch, "hair")
        return Scene(batch, driven, found, wanted, draws, fake, real, without_neck, without_hair)

    def _shown(
        self, driven: DrivenHead, batch: Batch, ground: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return prediction and truth over a ground: by the predicted mask as released, or, where
        networks start from the photo and its matte, each by its own."""
        rendered = driven.rendered
        if self._config.sizes.start == "photo":
            return (
                masks.over(rendered.rgb, rendered.soft_mask, ground),
                masks.over(batch.target, batch.target_matte, ground),
            )
        logits = rendered.mask_logits
        found = masks.on_random_ground(rendered.rgb, logits, ground)
        return found, masks.on_random_ground(batch.target, logits, ground)

    def _silhouette(self, driven: DrivenHead, batch: Batch, held: str) -> SoftSilhouette:
        height, width = batch.target.shape[-2:]
        region = self._regions[held].to(driven.projected.device)
        faces = self._faces.to(driven.projected.device)
        return soft_silhouette(driven.projected, faces, height, width, detached=region)

    def values(self, scene: Scene) -> dict[str, torch.Tensor]:
        """Return every active loss, not weighted."""
        return {name: _LOSSES[name](self, scene) for name in self.active}

    def total(self, values: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return the weighted sum of losses. Raises ValueError when none is active."""
        if not values:
            raise ValueError("no loss is active")
        weights = self._config.weights
        return torch.stack([getattr(weights, name) * v for name, v in values.items()]).sum()

    def discriminator_loss(
        self, trainee: Trainee, found: torch.Tensor, wanted: torch.Tensor
    ) -> torch.Tensor:
        """Return the weighted hinge loss of the discriminator on a scene's pictures, detached."""
        fake, real = trainee.judge(found).scores, trainee.judge(wanted).scores
        return self._config.weights.adversarial * adversarial.discriminator_loss(fake, real)

    def plays(self) -> bool:
        """Return whether there is a discriminator to train."""
        return self._asks("adversarial")

    def _perceptual(self, scene: Scene) -> torch.Tensor:
        assert self._networks.perceptual is not None
        return vgg.perceptual(self._networks.perceptual, scene.found, scene.wanted)

    def _gaze(self, scene: Scene) -> torch.Tensor:
        assert self._networks.gaze is not None
        return gaze.gaze(self._networks.gaze, scene.found, scene.wanted, scene.batch.landmarks)

    def _identity(self, scene: Scene) -> torch.Tensor:
        assert self._networks.identity is not None
        form, network = self._config.forms.identity, self._networks.identity
        found, wanted = (
            network(
                identity.recogniser_input(identity.face_crops(each, scene.batch.landmarks), form)
            )
            for each in (scene.found, scene.wanted)
        )
        return identity.identity(found, wanted, form)

    def _adversarial(self, scene: Scene) -> torch.Tensor:
        assert scene.fake is not None
        return adversarial.generator_loss(scene.fake.scores)

    def _feature_matching(self, scene: Scene) -> torch.Tensor:
        assert scene.fake is not None and scene.real is not None
        return adversarial.feature_matching(scene.fake.features, scene.real.features)

    def _dice(self, scene: Scene) -> torch.Tensor:
        return masks.dice(scene.driven.rendered.mask_logits, scene.batch.target_matte)

    def _occupancy_hair(self, scene: Scene) -> torch.Tensor:
        assert scene.without_neck is not None
        found = scene.without_neck.alpha[:, None]
        return masks.occupancy(found, scene.batch.hair, self._config.forms.occupancy)

    def _occupancy_whole(self, scene: Scene) -> torch.Tensor:
        assert scene.without_hair is not None
        found = scene.without_hair.alpha[:, None]
        return masks.occupancy(found, scene.batch.whole, self._config.forms.occupancy)

    def _chamfer(self, scene: Scene) -> torch.Tensor:
        assert scene.without_neck is not None
        points, visible = scene.driven.projected[..., :2], scene.without_neck.visible
        matte, form = scene.batch.target_matte, self._config.forms.chamfer
        return chamfer.silhouette_chamfer(points, visible, matte, scene.draws, form)

    def _laplacian(self, scene: Scene) -> torch.Tensor:
        around = self._around.to(scene.driven.offsets.device)
        return geometry.laplacian(scene.driven.offsets, around, self._config.forms.laplacian)

    def _landmarks(self, scene: Scene) -> torch.Tensor:
        assert self._table is not None
        found = landmark_points(scene.driven.projected, self._head.faces, self._table, torch)
        wanted, weights = scene.batch.landmarks.to(found), geometry.LANDMARK_WEIGHTS
        return geometry.landmarks(found[..., :2], wanted, found.new_tensor(weights))

    def _colour(self, scene: Scene) -> torch.Tensor:
        return colour.colour(scene.found, scene.wanted)


_LOSSES: Mapping[str, Callable[[Objective, Scene], torch.Tensor]] = {
    "perceptual": Objective._perceptual,
    "gaze": Objective._gaze,
    "identity": Objective._identity,
    "adversarial": Objective._adversarial,
    "feature_matching": Objective._feature_matching,
    "dice": Objective._dice,
    "occupancy_hair": Objective._occupancy_hair,
    "occupancy_whole": Objective._occupancy_whole,
    "chamfer": Objective._chamfer,
    "laplacian": Objective._laplacian,
    "landmarks": Objective._landmarks,
    "colour": Objective._colour,
}


def _table_68(head: HeadModel) -> LandmarkTable | None:
    """Return where the 68 landmarks lie on a head, or None where its table lacks one."""
    place = {int(index): row for row, index in enumerate(head.landmarks.indices)}
    if not set(MEDIAPIPE_68) <= place.keys():
        return None
    rows = [place[index] for index in MEDIAPIPE_68]
    table = head.landmarks
    return LandmarkTable(table.indices[rows], table.faces[rows], table.barycentric[rows])
