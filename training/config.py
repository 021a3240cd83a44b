# SPDX-License-Identifier: Apache-2.0
"""What a training run is made of: sizes, losses with their weights, optimizer; named ones.

Does not know data, devices or files.

Source: paper section 4.1; rome-spec section 4 (table of losses, optimizer).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from rome_backend.core.errors import UsageError
from training.losses.form import Form, is_released

Moving = Literal["regions", "everywhere", "nowhere"]
Start = Literal["nothing", "photo"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class LossWeights:
    """The weight of every loss in the generator's sum; 0 leaves it out. Defaults: the paper's."""

    perceptual: float = 1.0
    """VGG19 features."""
    gaze: float = 1.0
    """VGG16 features of a gaze network, at the eyes."""
    identity: float = 0.1
    """Cosine of VGGFace2 features."""
    adversarial: float = 0.1
    """What the discriminator says, in both players' losses."""
    feature_matching: float = 0.1
    """Features of the discriminator; the release weighs them 1."""
    dice: float = 10.0
    """Predicted mask against the matte."""
    occupancy_hair: float = 10.0
    """Silhouette with the neck held, against face, ears and hair."""
    occupancy_whole: float = 1.0
    """Silhouette with the hair held, against all of the person."""
    chamfer: float = 0.01
    """Visible vertices against the matte's pixels."""
    laplacian: float = 10.0
    """Smoothness of the offsets."""
    landmarks: float = 0.0
    """68 landmarks; 1 in the release, absent from the paper."""
    colour: float = 0.0
    """Plain difference of pictures, our own, for runs without imported networks."""

    def __post_init__(self) -> None:
        """Raise ValueError on a weight below 0."""
        if min(asdict(self).values()) < 0:
            raise ValueError(f"weights are not negative: {self}")

    def active(self) -> tuple[str, ...]:
        """Return the losses whose weight is not 0, in this order."""
        return tuple(name for name, weight in asdict(self).items() if weight)


@dataclass(frozen=True)
class LossForms:
    """How each loss that has two forms is computed."""

    occupancy: Form = "paper"
    chamfer: Form = "paper"
    laplacian: Form = "paper"
    identity: Form = "paper"

    def __post_init__(self) -> None:
        """Raise ValueError on another word than paper or released."""
        for form in asdict(self).values():
            is_released(form)


@dataclass(frozen=True)
class ModelSizes:
    """Sizes of the networks; the defaults are the released ones."""

    side: int = 256
    """Px of source, neural texture and picture."""
    texture_inner: int = 64
    """Inner width of E_tex's first bottlenecks."""
    texture_levels: int = 4
    """Resolutions of E_tex."""
    unet_widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    """Widths of E_geom and E_img."""
    offsets_width: int = 256
    """Units of G_geom."""
    discriminator_widths: tuple[int, ...] = (64, 128, 256, 512)
    """Widths of the discriminator's blocks."""
    separate_segmentation: bool = False
    """The paper's second U-Net for the mask, instead of the released fourth channel."""
    moving: Moving = "regions"
    """Which vertices have offsets: hair and neck, all of them, or none."""
    offset_limit: float = 1.0
    """M that a vertex may move per coordinate of its normal; released: 1."""
    start: Start = "nothing"
    """photo: a small network that joins the photo, carried by the mesh, with the textured mesh;
    the sizes of the paper's networks and what moves do not matter then, as geometry is given."""
    light_base: int = 32
    """Width of the light renderer's first level."""
    light_levels: int = 4
    """Its resolutions."""

    def __post_init__(self) -> None:
        """Raise ValueError on sizes that make no networks."""
        reduction = 1 << (max(self.texture_levels, len(self.unet_widths) - 1) - 1)
        if self.side < 1 or self.side % reduction:
            raise ValueError(f"the side must be a multiple of {reduction}, not {self.side}")
        if self.moving not in get_args(Moving) or self.offset_limit <= 0:
            raise ValueError(f"offsets need a limit above 0 and one of {get_args(Moving)}")
        if self.start not in get_args(Start) or self.light_base < 2:
            raise ValueError(f"networks start from {' or '.join(get_args(Start))}")


@dataclass(frozen=True)
class TrainConfig:
    """One training run."""

    name: str = "paper"
    """Written into checkpoints."""
    weights: LossWeights = field(default_factory=LossWeights)
    forms: LossForms = field(default_factory=LossForms)
    sizes: ModelSizes = field(default_factory=ModelSizes)
    seed: int = 0
    """Of weights, of the order of samples, and with a sample's number of everything drawn."""
    batch: int = 32
    """Samples per step over all processes."""
    micro_batch: int = 4
    """Samples that one process holds in memory at a time; the rest is accumulated."""
    generator_rate: float = 1e-4
    discriminator_rate: float = 4e-4
    betas: tuple[float, float] = (0.0, 0.999)
    """Adam's."""
    precision: Precision = "float32"
    ema: float = 0.0
    """Decay of an averaged copy of the networks; 0 keeps none, as in the release."""
    most_skipped: int = 20
    """Steps in a row that may be skipped for gradients that are not finite."""

    def __post_init__(self) -> None:
        """Raise ValueError on numbers that make no run."""
        if min(self.batch, self.micro_batch) < 1 or self.batch % self.micro_batch:
            raise ValueError(f"{self.batch} samples do not divide into parts of {self.micro_batch}")
        if min(self.generator_rate, self.discriminator_rate) <= 0 or not 0 <= self.ema < 1:
            raise ValueError("rates are above 0, and the average's decay is at least 0 and below 1")
        if self.precision not in get_args(Precision) or self.most_skipped < 0:
            raise ValueError(f"the precision is one of {get_args(Precision)}")

    def parts(self, processes: int) -> int:
        """Return how many micro-batches each of some processes works through per step.

        Raises ValueError when the batch cannot be shared out evenly.
        """
        parts, left = divmod(self.batch, self.micro_batch * processes)
        if left or not parts:
            raise ValueError(f"{self.batch} samples are not shared out to {processes} processes")
        return parts


_PAPER = TrainConfig()
_RELEASED = TrainConfig(
    name="released",
    weights=LossWeights(feature_matching=1.0, landmarks=1.0),
    forms=LossForms("released", "released", "released", "released"),
    batch=4,
)
_OPEN = TrainConfig(
    name="open",
    weights=LossWeights(colour=10.0, feature_matching=1.0),
    forms=LossForms(occupancy="released"),
    sizes=ModelSizes(offset_limit=0.1),
    ema=0.999,
)
_SMALL = replace(
    _OPEN,
    name="small",
    sizes=ModelSizes(
        side=64,
        texture_inner=8,
        texture_levels=3,
        unet_widths=(16, 32, 32),
        offsets_width=32,
        discriminator_widths=(16, 32, 32, 32),
        offset_limit=0.1,
    ),
    batch=4,
    generator_rate=1e-3,
    discriminator_rate=1e-3,
    ema=0.0,
)
_LIGHT = TrainConfig(
    name="light",
    weights=LossWeights(
        **dict.fromkeys((f.name for f in fields(LossWeights)), 0.0)
        | {"colour": 10.0, "dice": 1.0, "perceptual": 1.0}
    ),
    sizes=ModelSizes(side=192, start="photo", light_base=16),
    batch=4,
    generator_rate=1e-3,
    betas=(0.9, 0.99),
    ema=0.998,
)
CONFIGS: Mapping[str, TrainConfig] = {
    config.name: config for config in (_PAPER, _RELEASED, _OPEN, _SMALL, _LIGHT)
}
ABLATIONS = ("no_offsets", "free_offsets", "no_occ", "no_lap", "no_chm")


def named_config(name: str) -> TrainConfig:
    """Return a configuration: ``paper``, ``released``, ``open`` (needs no imported networks),
    ``small`` (for tests and laptops), ``light`` (starts from the textured mesh), or an ablation,
    ``open-no_occ`` or ``no_occ`` (the paper's).

    Raises UsageError (`unknown_config`).
    """
    base, _, ablation = name.rpartition("-")
    if name in CONFIGS:
        return CONFIGS[name]
    if ablation in ABLATIONS and (base or "paper") in CONFIGS:
        return ablated(CONFIGS[base or "paper"], ablation)
    raise UsageError(
        "unknown_config",
        f"There is no training configuration {name!r}.",
        f"Choose one of {', '.join(CONFIGS)}, alone or with -{', -'.join(ABLATIONS)}.",
    )


def ablated(config: TrainConfig, ablation: str) -> TrainConfig:
    """Return a configuration with one thing taken out (paper figure 5 and table 3).

    no_offsets: the bare head; free_offsets: every vertex may move, face and ears too;
    no_occ, no_chm, no_lap: without that loss. Raises ValueError on another name.
    """
    sizes, weights = config.sizes, config.weights
    if ablation in ("no_offsets", "free_offsets"):
        moving: Moving = "nowhere" if ablation == "no_offsets" else "everywhere"
        sizes = replace(sizes, moving=moving)
    elif ablation == "no_occ":
        weights = replace(weights, occupancy_hair=0.0, occupancy_whole=0.0)
    elif ablation == "no_lap":
        weights = replace(weights, laplacian=0.0)
    elif ablation == "no_chm":
        weights = replace(weights, chamfer=0.0)
    else:
        raise ValueError(f"there is no ablation {ablation!r}")
    return replace(config, name=f"{config.name}-{ablation}", sizes=sizes, weights=weights)


def config_as_dict(config: TrainConfig) -> dict[str, Any]:
    """Return a configuration as plain JSON values."""
    return asdict(config)


def config_from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """Return the configuration of a checkpoint. Raises ValueError on unknown or missing names."""
    made = dict(values)
    nested = {"weights": LossWeights, "forms": LossForms, "sizes": ModelSizes}
    if set(made) != {each.name for each in fields(TrainConfig)}:
        raise ValueError("the names are not those of a training configuration")
    for name, kind in nested.items():
        inner = {key: _tuples(value) for key, value in dict(made[name]).items()}
        if set(inner) != {each.name for each in fields(kind)}:
            raise ValueError(f"the names of {name} are not those of a training configuration")
        made[name] = kind(**inner)
    return TrainConfig(**{key: _tuples(value) for key, value in made.items()})


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
