# SPDX-License-Identifier: Apache-2.0
"""Trains the network that sees a person's coefficients in the source picture.

Does not know where people come from or files.

Source: paper section 3.5: squared error of coefficients, occupancy and Chamfer distance of meshes.
The coefficients are those of an orthonormal basis, so their error is that of the offsets; it is
taken in centimetres. Weights of occupancy and Chamfer are our own, as the paper gives none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rome_backend.avatar.driven_pose import canonical_head, project_head
from rome_backend.core.errors import RomeError
from rome_backend.core.types import HeadModel
from rome_backend.models.linear_offsets import linear_offsets, make_linear_offsets_net
from rome_backend.models.resnet import ResNet50
from rome_backend.render.silhouette import soft_silhouette
from training.batch import collate
from training.distill.basis import COMPONENTS, LinearBasis
from training.distill.people import Example
from training.losses.chamfer import chamfer
from training.losses.masks import occupancy

_CM = 100.0
_POINTS = 800  # of the moving vertices that the Chamfer distance looks at


@dataclass(frozen=True)
class DistillOptions:
    """How the network is trained."""

    steps: int = 2000
    batch: int = 8
    rate: float = 1e-4
    seed: int = 0
    """Of the network's weights and the order of people."""
    occupancy: float = 1.0
    chamfer: float = 0.1

    def __post_init__(self) -> None:
        """Raise ValueError on numbers that train nothing."""
        if min(self.steps, self.batch) < 1 or self.rate <= 0 or self.seed < 0:
            raise ValueError("steps and batch are at least 1, the rate is above 0")


class _Losses:
    """The losses of a batch of people on a head."""

    def __init__(self, basis: LinearBasis, head: HeadModel, options: DistillOptions) -> None:
        self._basis = torch.from_numpy(basis.dirs)
        self._mean = torch.from_numpy(basis.mean)
        self._options, self._head = options, head
        self._faces = torch.as_tensor(np.array(head.faces, np.int64))
        regions = {name: np.asarray(head.regions[name], bool) for name in ("hair", "neck")}
        self._regions = {name: torch.from_numpy(each.copy()) for name, each in regions.items()}
        moving = np.flatnonzero(regions["hair"] | regions["neck"])
        self._points = torch.from_numpy(moving[:: max(1, len(moving) // _POINTS)])

    def values(
        self, found: torch.Tensor, wanted: torch.Tensor, examples: Sequence[Example]
    ) -> dict[str, torch.Tensor]:
        """Return the losses of coefficients found (N, 60) against wanted (N, 60), not weighted."""
        error = (_CM * (found - wanted)).square()
        losses = {"coefficients": error.mean()}
        offsets = linear_offsets(found, self._basis, self._mean)
        true = torch.from_numpy(np.stack([each.offsets for each in examples]))
        template = torch.from_numpy(self._head.template)[self._points]
        pairs = [_CM * (template + each[:, self._points]) for each in (offsets, true)]
        losses["chamfer"] = chamfer(list(pairs[0]), list(pairs[1]))
        samples = [each.sample for each in examples if each.sample is not None]
        if len(samples) == len(examples):
            batch = collate(samples)
            canonical = canonical_head(self._head, batch.pose)
            projected = project_head(canonical.vertices + offsets, canonical.root, batch.pose)
            size = (batch.hair.shape[-2], batch.hair.shape[-1])
            losses["occupancy"] = torch.stack([
                occupancy(
                    soft_silhouette(
                        projected, self._faces, *size, detached=self._regions[held]
                    ).alpha[:, None],
                    mask, "released",
                )
                for held, mask in (("neck", batch.hair), ("hair", batch.whole))
            ]).sum()  # fmt: skip
        return losses

    def total(self, values: Mapping[str, torch.Tensor]) -> torch.Tensor:
        weights = {
            "coefficients": 1.0,
            "chamfer": self._options.chamfer,
            "occupancy": self._options.occupancy,
        }
        return torch.stack([weights[name] * value for name, value in values.items()]).sum()


def train_regressor(
    examples: Sequence[Example],
    basis: LinearBasis,
    head: HeadModel,
    options: DistillOptions,
    progress: Callable[[int, Mapping[str, float]], None] = lambda step, losses: None,
) -> tuple[ResNet50, dict[str, float]]:
    """Return the trained network, for inference, and the losses of its last step.

    The same people and options give the same weights. Raises RomeError (`training_diverged`).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        network = make_linear_offsets_net()
    for parameter in network.fc.parameters():  # the mean head is where it starts
        torch.nn.init.zeros_(parameter)
    sources = torch.from_numpy(np.stack([each.source for each in examples]))
    wanted = torch.from_numpy(
        np.stack([basis.coefficients(each.offsets) for each in examples])
    ).float()
    losses, last = _Losses(basis, head, options), dict[str, float]()
    optimizer = torch.optim.Adam(network.parameters(), options.rate)
    network.train()
    for step in range(options.steps):
        random = np.random.default_rng([options.seed, step])
        chosen = random.choice(len(examples), options.batch, len(examples) < options.batch)
        found = network(sources[chosen])
        values = losses.values(found, wanted[chosen], [examples[place] for place in chosen])
        total = losses.total(values)
        if not torch.isfinite(total):
            raise RomeError("training_diverged", "A loss is not finite.", "Take a lower --rate.")
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        last = {name: float(each.detach()) for name, each in {"total": total, **values}.items()}
        progress(step + 1, last)
    return network.eval(), last


def errors_mm(
    network: ResNet50, basis: LinearBasis, examples: Sequence[Example], head: HeadModel
) -> dict[str, float]:
    """Return how far people's offsets are missed, in mm, in the mean over the vertices that move.

    mean_head: by the mean offsets alone; basis: by what the basis can say at best; regressor: by
    what the network sees. Empty without people.
    """
    if not examples:
        return {}
    moving = np.asarray(head.regions["hair"], bool) | np.asarray(head.regions["neck"], bool)
    true = np.stack([each.offsets for each in examples]).astype(np.float64)
    with torch.no_grad():
        rows = [network(torch.from_numpy(each.source)[None]) for each in examples]
    seen = basis.offsets(torch.cat(rows).double().numpy())
    best = basis.offsets(basis.coefficients(true))
    mean = np.broadcast_to(basis.offsets(np.zeros(COMPONENTS)), true.shape)
    return {
        name: round(1000 * float(np.linalg.norm(made - true, axis=-1)[:, moving].mean()), 4)
        for name, made in (("mean_head", mean), ("basis", best), ("regressor", seen))
    }
