# SPDX-License-Identifier: Apache-2.0
"""Photo to avatar: track, fit, silhouette, texture, in one place and in this order.

Does not know files other than the photos, the command line, or Blender.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from rome_backend.assets.licences import with_whole
from rome_backend.assets.mediapipe import ensure_tracker_models
from rome_backend.assets.store import AssetStore
from rome_backend.avatar.assemble import assemble
from rome_backend.avatar.choices import OPEN, Choice
from rome_backend.avatar.create_options import CreateOptions
from rome_backend.avatar.heads import load_head
from rome_backend.avatar.installed_networks import InstalledNetworks, load_networks
from rome_backend.avatar.neural_preview import PREVIEW_SIDE, neural_preview
from rome_backend.avatar.neural_source import deca_fits, neural_source, offsets_iou
from rome_backend.core.errors import Cancelled, UsageError
from rome_backend.core.types import (
    F32,
    Avatar,
    FaceFit,
    HeadCrop,
    HeadModel,
    OffsetBasis,
    TrackedFace,
)
from rome_backend.render.device import torch_device
from rome_backend.texture.bake import BakedTexture, TextureView, bake
from rome_backend.tracking.checks import judge, judge_fit
from rome_backend.tracking.crop import head_crop
from rome_backend.tracking.face_mesh import FaceTracker
from rome_backend.tracking.fit import FaceFitter
from rome_backend.tracking.lens import Lens, lens_of
from rome_backend.tracking.matte import PersonMatte
from rome_backend.tracking.neck_split import split_neck
from rome_backend.tracking.photo import load_photo
from rome_backend.tracking.signed_fit import SignedFitter, make_fitter
from rome_backend.tracking.silhouette import OffsetFit, fit_offsets
from rome_backend.tracking.upright import find_faces

STAGES = ("set up", "track", "crop", "fit", "silhouette", "texture")
CROP_SIZE = 1024
LARGEST_CROP = 3072  # px, of a photo for the largest texture
Progress = Callable[[str, float], None]


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
    """What every avatar needs and is costly to load: networks, head model, offset basis.

    installed: the released networks of the choice, None where all is built in.
    """

    head: HeadModel
    basis: OffsetBasis
    tracker: FaceTracker
    matte: PersonMatte
    fitter: FaceFitter | SignedFitter
    installed: InstalledNetworks | None = None
    choice: Choice = Choice()


@dataclass(frozen=True)
class _View:
    """One photo on its way: the chosen face's crop, the lens it was seen by, what was odd."""

    crop: HeadCrop
    lens: Lens
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


def load_tools(
    head: str = OPEN,
    progress: Progress | None = None,
    choice: Choice | None = None,
    device: str = "cpu",
) -> Tools:
    """Load networks and head model, fetching the tracker's files if they are not installed.

    progress: called with a stage while something is fetched, the fraction staying at 0;
    choice: tracker and networks other than the built-in ones; device: where those networks run.
    Raises AssetMissing when a model file is not there and cannot be fetched.
    """
    report = progress or (lambda stage, fraction: None)
    models = ensure_tracker_models(lambda stage, fraction: report(stage, 0.0))
    model, basis = load_head(head)
    installed = None
    choice = choice or Choice(head=head)
    if (choice.tracker, choice.networks) != (OPEN, OPEN):
        installed = load_networks(choice, model, AssetStore(), torch_device(device))
    fitter = make_fitter(model)
    return Tools(model, basis, FaceTracker(models), PersonMatte(models), fitter, installed, choice)


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
        tools = tools or load_tools(options.head, clock.progress, options.choice(), options.device)
    views = [_view(path, options, tools, clock) for path in photos]
    with clock.stage("fit"):
        fits = _fits(views, tools)
        views = [
            replace(view, warnings=(*view.warnings, *judge_fit(fit, tools.head.expression_names)))
            for view, fit in zip(views, fits, strict=True)
        ]
    source = min(range(len(fits)), key=lambda index: (abs(fits[index].yaw), index))
    crop, fit = views[source].crop, fits[source]
    with clock.stage("silhouette"):
        offsets, neural_texture = _offsets(tools, fit, crop, options)
    with clock.stage("texture"):
        texture = _texture(tools.head, views, fits, source, offsets, options, clock)
    warnings = tuple(dict.fromkeys(code for view in views for code in view.warnings))
    names = [path.name for path in photos]
    avatar = assemble(
        names, options.seed, tools.choice, tools.head, crop, fit, offsets, texture, warnings,
        options.delight,
    )  # fmt: skip
    with clock.stage("texture"):
        avatar = _with_networks(avatar, neural_texture, tools, options.size)
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
        crop = head_crop(photo, face, tools.matte, max_size=_crop_size(options.size))
    lens = lens_of(photo, crop, options.focal_length)
    return _View(crop, lens, len(faces), (*photo.warnings, *warnings))


def _with_networks(avatar: Avatar, neural_texture: F32 | None, tools: Tools, size: int) -> Avatar:
    """Return the avatar with what networks made of it: texture, its preview, ids, licences."""
    installed = tools.installed
    if installed is None:
        return avatar
    avatar = replace(
        avatar,
        neural_texture=neural_texture,
        weights_id=installed.weights_id,
        licences=with_whole({**avatar.licences, **installed.licences}),
    )
    if installed.feed_forward is None:
        return avatar
    side = min(size, PREVIEW_SIDE)
    preview = neural_preview(installed.feed_forward, avatar, tools.head, side, installed.device)
    return replace(avatar, neural_preview=preview)


def _fits(views: Sequence[_View], tools: Tools) -> list[FaceFit]:
    """Return the fit of each photo: the tracker's, or DECA's with one identity for all."""
    crops = [view.crop for view in views]
    if tools.installed is None or tools.installed.face_regressor is None:
        landmarks = [crop.landmarks for crop in crops]
        fits = tools.fitter.fit_shared(landmarks, [view.lens for view in views])
        if tools.installed is not None:
            return fits  # the released networks turn shoulders with the head
        return [split_neck(tools.head, fit, crop) for fit, crop in zip(fits, crops, strict=True)]
    return deca_fits(tools.installed.face_regressor, tools.head, crops)


def _offsets(
    tools: Tools, fit: FaceFit, crop: HeadCrop, options: CreateOptions
) -> tuple[OffsetFit, F32 | None]:
    """Return the offsets, by networks or silhouette, and the networks' neural texture."""
    installed = tools.installed
    if installed is None or (installed.feed_forward is None and installed.linear is None):
        return fit_offsets(tools.head, tools.basis, fit, crop), None
    made = neural_source(installed, tools.head, fit, crop, options.neural_side)
    total = made.offsets.astype(np.float32)
    coefficients = np.zeros(tools.basis.dirs.shape[2], np.float32)
    iou = offsets_iou(tools.head, fit, crop, made.offsets)
    return OffsetFit(coefficients, total - tools.basis.mean, total, iou), made.neural_texture


def _crop_size(texture: int) -> int:
    """Return the largest side of the crop in px: a large texture wants a large photo."""
    return min(max(CROP_SIZE, texture), LARGEST_CROP)


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
    return bake(
        head, seen, options.size, options.delight, options.seed, clock.check, maps=options.maps
    )
