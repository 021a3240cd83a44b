# SPDX-License-Identifier: Apache-2.0
"""Photo to avatar: track, fit, silhouette, texture, in one place and in this order.

Does not know files other than the photos, the command line, or Blender.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import rome_backend
from rome_backend.assets.mediapipe import ensure_tracker_models
from rome_backend.avatar.heads import OPEN, load_head
from rome_backend.core.camera import fit_camera
from rome_backend.core.errors import Cancelled, UsageError
from rome_backend.core.types import (
    Avatar,
    FaceFit,
    HeadCrop,
    HeadModel,
    OffsetBasis,
    TrackedFace,
)
from rome_backend.render.device import DEVICES, torch_device
from rome_backend.texture.bake import BakedTexture, TextureView, bake
from rome_backend.tracking.checks import judge
from rome_backend.tracking.crop import head_crop
from rome_backend.tracking.face_mesh import FaceTracker
from rome_backend.tracking.fit import FaceFitter
from rome_backend.tracking.matte import PersonMatte
from rome_backend.tracking.photo import load_photo
from rome_backend.tracking.silhouette import OffsetFit, fit_offsets
from rome_backend.tracking.upright import find_faces

STAGES = ("set up", "track", "crop", "fit", "silhouette", "texture")
CROP_SIZE = 1024
SIZES = (256, 512, 1024, 2048)
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class CreateOptions:
    """What a person may choose.

    size: side of the texture in px; face: which face by size, 0 the largest;
    seed: of everything random; device: "auto", "cpu" or "cuda";
    head: "open", "flame" or the path of a head-model file.
    Raises UsageError when a value is not allowed.
    """

    size: int = 1024
    face: int = 0
    seed: int = 0
    device: str = "auto"
    head: str = OPEN

    def __post_init__(self) -> None:
        """Check every field."""
        if self.size not in SIZES:
            raise UsageError(
                "texture_size", f"A texture of {self.size} px is not offered.",
                f"Choose one of: {', '.join(map(str, SIZES))}.",
            )  # fmt: skip
        if self.face < 0:
            raise UsageError(
                "face_index", f"There is no face number {self.face}.", "Count from 0, the largest."
            )
        if self.device not in DEVICES:
            raise UsageError(
                "device", f"{self.device!r} is no device.", "Choose auto, cpu or cuda."
            )


@dataclass(frozen=True)
class CreateResult:
    """An avatar and how it came about.

    faces: found in the photo the avatar is made from; seconds: per stage;
    empty_texels: of the texture, 0 unless something is broken; silhouette_iou: head against matte.
    """

    avatar: Avatar
    faces: int
    warnings: tuple[str, ...]
    seconds: dict[str, float]
    empty_texels: int
    silhouette_iou: float


@dataclass(frozen=True)
class Tools:
    """What every avatar needs and is costly to load: networks, head model, offset basis."""

    head: HeadModel
    basis: OffsetBasis
    tracker: FaceTracker
    matte: PersonMatte
    fitter: FaceFitter


@dataclass(frozen=True)
class _View:
    """One photo on its way: the chosen face's crop and what was odd."""

    crop: HeadCrop
    faces: int
    warnings: tuple[str, ...]


@dataclass
class _Clock:
    """Times the stages, reports them and stops between them when asked to."""

    progress: Progress
    cancelled: Callable[[], bool]
    seconds: dict[str, float] = field(default_factory=dict)
    fraction: float = 0.0

    def check(self) -> None:
        if self.cancelled():
            raise Cancelled

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.check()
        self.fraction = max(self.fraction, STAGES.index(name) / len(STAGES))
        self.progress(name, self.fraction)
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def load_tools(head: str = OPEN, progress: Progress | None = None) -> Tools:
    """Load networks and head model, fetching the tracker's files if they are not installed.

    progress: called with a stage while something is fetched, the fraction staying at 0.
    Raises AssetMissing when a model file is not there and cannot be fetched.
    """
    report = progress or (lambda stage, fraction: None)
    models = ensure_tracker_models(lambda stage, fraction: report(stage, 0.0))
    model, basis = load_head(head)
    return Tools(model, basis, FaceTracker(models), PersonMatte(models), FaceFitter(model))


def create_avatar(
    photos: Sequence[Path],
    options: CreateOptions,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    tools: Tools | None = None,
) -> CreateResult:
    """Make one person's avatar from one or several photos; same input, same arrays.

    Args:
        photos: files of the same person; the most frontal one gives hair, camera and pose.
        progress: called with a stage and a fraction in [0, 1].
        cancelled: asked between stages and within long ones; True raises Cancelled.
        tools: from load_tools, to make many avatars in one process.

    Raises:
        PhotoRefused: a photo that cannot become a head.
        AssetMissing: a model file is not installed.
        Cancelled: as asked.
        UsageError: no photos.
        RomeError: 'device_missing' for cuda where there is none.
    """
    if not photos:
        raise UsageError("no_photos", "No photo was given.", "Name at least one photo.")
    torch_device(options.device)  # cuda where there is none is refused, not passed over
    clock = _Clock(progress or (lambda stage, fraction: None), cancelled or (lambda: False))
    with clock.stage("set up"):
        tools = tools or load_tools(options.head, clock.progress)
    views = [_view(path, options, tools, clock) for path in photos]
    with clock.stage("fit"):
        fits = tools.fitter.fit_shared([view.crop.landmarks for view in views])
    source = min(range(len(fits)), key=lambda index: (abs(fits[index].yaw), index))
    crop, fit = views[source].crop, fits[source]
    with clock.stage("silhouette"):
        offsets = fit_offsets(tools.head, tools.basis, fit, crop)
    with clock.stage("texture"):
        texture = _texture(tools.head, views, fits, source, offsets, options, clock)
    warnings = tuple(dict.fromkeys(code for view in views for code in view.warnings))
    avatar = _assemble(
        [path.name for path in photos], options, tools, crop, fit, offsets, texture, warnings
    )
    clock.progress("texture", 1.0)
    return CreateResult(
        avatar, views[source].faces, warnings, clock.seconds, texture.empty_texels, offsets.iou
    )


def _view(path: Path, options: CreateOptions, tools: Tools, clock: _Clock) -> _View:
    with clock.stage("track"):
        photo, faces = find_faces(load_photo(path), tools.tracker)
        warnings = judge(photo, faces, options.face)
        face: TrackedFace = faces[options.face]
    with clock.stage("crop"):
        crop = head_crop(photo, face, tools.matte, max_size=max(CROP_SIZE, options.size))
    return _View(crop, len(faces), (*photo.warnings, *warnings))


def _texture(
    head: HeadModel,
    views: Sequence[_View],
    fits: Sequence[FaceFit],
    source: int,
    offsets: OffsetFit,
    options: CreateOptions,
    clock: _Clock,
) -> BakedTexture:
    """Bake all photos into one texture; the source photo comes first, as it sets the light."""
    order = sorted(range(len(views)), key=lambda index: index != source)
    seen = [
        TextureView.of(head, fits[index], views[index].crop, offsets.offsets) for index in order
    ]
    return bake(head, seen, options.size, seed=options.seed, check=clock.check)


def _assemble(
    names: Sequence[str],
    options: CreateOptions,
    tools: Tools,
    crop: HeadCrop,
    fit: FaceFit,
    offsets: OffsetFit,
    texture: BakedTexture,
    warnings: tuple[str, ...],
) -> Avatar:
    height, width = crop.rgb.shape[:2]
    return Avatar(
        name=Path(names[0]).stem,
        head_model=tools.head.name,
        topology_id=tools.head.topology_id,
        params=fit.params,
        offset_coefficients=np.asarray(offsets.coefficients, np.float32),
        free_offsets=np.asarray(offsets.free, np.float32),
        offsets=np.asarray(offsets.offsets, np.float32),
        albedo=texture.albedo,
        confidence=texture.confidence,
        source_crop=crop.rgb,
        source_matte=np.clip(crop.matte * 255 + 0.5, 0, 255).astype(np.uint8),
        source_landmarks=np.asarray(crop.landmarks, np.float32),
        camera=fit_camera(fit, width, height),
        warnings=warnings,
        licences={
            "head model": tools.head.licence,
            "face tracker": "Apache-2.0",
            "texture and identity": "the photo's own rights",
        },
        provenance=_provenance(names, options, tools.head, fit) | {"shown": _shown(crop)},
    )


def _provenance(
    names: Sequence[str], options: CreateOptions, head: HeadModel, fit: FaceFit
) -> dict[str, object]:
    """Return what made the avatar, JSON-able."""
    return {
        "program": f"rome-blender {rome_backend.__version__}",
        "photos": list(names),
        "seed": options.seed,
        "head": options.head,
        "head_source": head.source,
        "fit": {
            "scale": fit.scale,
            "yaw": fit.yaw,
            "pitch": fit.pitch,
            "roll": fit.roll,
            "residual": fit.residual,
            "rotation": np.asarray(fit.rotation).tolist(),
            "translation": np.asarray(fit.translation).tolist(),
        },
    }


def _shown(crop: HeadCrop) -> list[int]:
    """Return left, top, right and bottom (px) of the part of the crop that the photo showed."""
    rows, columns = np.nonzero(crop.valid)
    return [int(n) for n in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]
