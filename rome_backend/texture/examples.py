# SPDX-License-Identifier: Apache-2.0
"""Samples of a photo's hair and skin: fine variation apart from light, and where it runs.

Does not know textures; what is made of a sample is synthesis's business.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from rome_backend.core.camera import project
from rome_backend.core.pixels import px_to_ndc
from rome_backend.core.types import F32, I32, HeadModel, Mask
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.render.shading import view_axes
from rome_backend.texture.outline import person_matte
from rome_backend.texture.palette import Palette, to_lab
from rome_backend.texture.view import TextureView

_LARGEST_SIDE = 512  # px of the photo that samples are taken from
_STRUCTURE = 0.003  # m over which the direction of hair is averaged
_LEAST = 400  # px a sample needs
_CENTRES = 400
_FEATURES = ("lips", "left_eye_region", "right_eye_region", "mouth_inside")
_EYEBALLS = ("left_eyeball", "right_eyeball")


@dataclass(frozen=True)
class _Material:
    """smooth (m): what is slower is light; rim (m): of the material's border that is left out;
    most: the largest detail; share: of the detail that is used; oriented: whether it runs
    along a direction."""

    smooth: float
    rim: float
    most: float
    share: float
    oriented: bool = True


_SHORT_HAIR = _Material(0.005, 0.0015, 0.7, 0.7)
_LONG_HAIR = _Material(0.010, 0.0015, 0.7, 0.7)
_CLOTH = _Material(0.003, 0.004, 0.1, 0.5, oriented=False)
_SKIN = _Material(0.0025, 0.003, 0.04, 0.6, oriented=False)


@dataclass(frozen=True)
class PhotoSurface:
    """A photo and what it shows where.

    rgb (H, W, 3) f32 sRGB 0..255; hair, skin, bust (H, W) bool: pixels where the mesh's scalp, its
    bare face, or its neck and shoulders lie and the person surely is; metres: size of a pixel at
    the head.
    """

    rgb: F32
    hair: Mask
    skin: Mask
    bust: Mask
    metres: float


@dataclass(frozen=True)
class Example:
    """Material without its light.

    detail (H, W, 4) f32: logarithm of colour over its surroundings, mean 0, and how far each pixel
    is known, 0..1; angle (H, W) f32:
    direction along the strands, rad from the pixel's x axis towards y (down), meaningless for
    skin; centres (N, 2) i32: pixels x, y well inside the material; metres: size of a pixel;
    straight: 0 where strands run anyhow .. 1 where all run as their neighbours do; oriented:
    whether there are strands at all.
    """

    detail: F32
    angle: F32
    centres: I32
    metres: float
    straight: float
    oriented: bool = True


def photo_surface(head: HeadModel, view: TextureView) -> PhotoSurface:
    """Say which pixels of a view show scalp and bare face, at most 512 px on a side."""
    height, width = view.rgb.shape[:2]
    scale = min(1.0, _LARGEST_SIDE / max(height, width))
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    px = project(view.camera, view.vertices)[:, :2] + view.landmark_shift
    axes = view_axes(view.camera)
    across = view.vertices @ axes[:2].T
    metres = float(np.linalg.norm(across.std(0)) / np.linalg.norm(np.nanstd(px, axis=0)))
    ndc = px_to_ndc(px, width, height) * [1, -1]
    screen = np.c_[ndc, -(view.vertices @ axes[2])]
    screen_tensor = torch.as_tensor(screen, dtype=torch.float32)[None]
    faces = torch.as_tensor(head.faces)
    index = TorchRasterizer().rasterize(screen_tensor, faces, rows, columns).face_index[0].numpy()
    small = (columns, rows)
    rgb = cv2.resize(view.rgb, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    person = cv2.resize(person_matte(view, metres), small, interpolation=cv2.INTER_AREA) > 0.95
    scalp, face = _region(head, ("hair",)), _region(head, ("face",))
    bare = face & ~_region(head, (*_FEATURES, *_EYEBALLS)) & ~scalp
    sure = person & (index >= 0)
    hair, skin, bust = (sure & part[index] for part in (scalp, bare, _region(head, ("neck",))))
    return PhotoSurface(rgb, hair, skin, bust, metres / scale)


def _region(head: HeadModel, names: tuple[str, ...]) -> Mask:
    """Faces (F,) all of whose corners lie in one of the regions."""
    found = np.zeros(len(head.faces), bool)
    for name in names:
        mask = head.regions.get(name)
        if mask is not None:
            found |= mask[head.faces].all(1)
    return found


def hair_example(photo: PhotoSurface, palette: Palette, long: bool = True) -> Example | None:
    """Cut the photo's hair out; None when it shows too little of it.

    long: whether locks of several cm belong to it; short hair varies over mm only."""
    lab = to_lab(photo.rgb.reshape(-1, 3))
    from_hair, from_skin = palette.hair.distance(lab), palette.skin.distance(lab)
    like = (from_hair < 12) & ((from_hair < from_skin) | (from_hair < 4))
    return _example(
        photo, photo.hair & like.reshape(photo.hair.shape), _LONG_HAIR if long else _SHORT_HAIR
    )


def skin_example(photo: PhotoSurface, palette: Palette) -> Example | None:
    """Cut the photo's bare skin out; None when it shows too little of it."""
    lab = to_lab(photo.rgb.reshape(-1, 3))
    like = (palette.skin.distance(lab) < 7).reshape(photo.skin.shape)
    return _example(photo, photo.skin & like, _SKIN)


def cloth_example(photo: PhotoSurface, palette: Palette) -> Example | None:
    """Cut the photo's clothes out; None when it shows too little of them."""
    lab = to_lab(photo.rgb.reshape(-1, 3))
    from_skin, from_hair = palette.skin.distance(lab), palette.hair.distance(lab)
    cloth = ((from_skin > 14) & (from_hair > 4)).reshape(photo.bust.shape)
    return _example(photo, photo.bust & cloth, _CLOTH)


def _example(photo: PhotoSurface, where: Mask, material: _Material) -> Example | None:
    inside = _whole(where, material.rim / photo.metres)
    if int(inside.sum()) < _LEAST:
        return None
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    place = np.argwhere(depth >= 0.5 * float(depth.max()))[:, ::-1]
    step = max(1, len(place) // _CENTRES)
    filled, known = _reflected(photo.rgb, inside)
    smooth = _masked_blur(photo.rgb, inside, material.smooth / photo.metres)
    detail = _tamed(np.log((filled + 6) / (smooth + 6)), inside, material)
    detail = np.dstack([detail * known[..., None], known])
    angle, clarity = _strand_angle(filled, max(1.0, _STRUCTURE / photo.metres))
    straight = float(clarity[inside].mean())
    return Example(
        detail, angle, place[::step].astype(np.int32), photo.metres, straight, material.oriented
    )


def _whole(where: Mask, rim: float) -> Mask:
    """The mask without specks and frayed rims, holes closed."""
    size = 2 * max(1, round(rim)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    closed = cv2.morphologyEx(where.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3)))
    return np.asarray(cv2.erode(cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc), disc) > 0)


def _tamed(detail: F32, inside: Mask, material: _Material) -> F32:
    """Detail with mean 0, without outliers, its colour variation below its brightness's."""
    detail = detail - detail[inside].mean(0)
    grey = detail.mean(-1, keepdims=True)
    colour = detail - grey
    limit = min(2.0 * float(grey[inside].std()), material.most)
    tint = min(1.2 * float(colour[inside].std()), 0.25 * limit)
    grey = limit * np.tanh(grey / max(limit, 1e-6))
    colour = tint * np.tanh(colour / max(tint, 1e-6))
    return np.asarray(material.share * (grey + colour), np.float32)


def _masked_blur(rgb: F32, inside: Mask, sigma: float) -> F32:
    weight = inside.astype(np.float32)
    total = cv2.GaussianBlur(weight, (0, 0), sigma)
    sums = cv2.GaussianBlur(rgb * weight[..., None], (0, 0), sigma)
    mean = rgb[inside].mean(0)
    out: F32 = (sums + 1e-3 * mean) / (total[..., None] + 1e-3)
    return out


def _reflected(rgb: F32, inside: Mask) -> tuple[F32, F32]:
    """Fill what lies outside with the mirror image of what lies inside its border.

    Returns the picture and where that succeeded, 0 or 1."""
    _, labels = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(inside)
    where = np.zeros((labels.max() + 1, 2), np.int64)
    where[labels[rows, columns]] = np.c_[rows, columns]
    nearest = where[labels]
    height, width = inside.shape
    grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), -1)
    mirror = np.clip(2 * nearest - grid, 0, [height - 1, width - 1])
    lands = inside[mirror[..., 0], mirror[..., 1]]
    source = np.where(lands[..., None], mirror, nearest)
    return rgb[source[..., 0], source[..., 1]], lands.astype(np.float32)


def _strand_angle(rgb: F32, sigma: float) -> tuple[F32, F32]:
    """Direction of least change (H, W), rad, by the structure tensor, and how clear it is."""
    grey = cv2.GaussianBlur(np.log(rgb.mean(-1) + 6), (0, 0), 0.8)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    xx, yy, xy = (
        cv2.GaussianBlur(product, (0, 0), 2 * sigma)
        for product in (across * across, down * down, across * down)
    )
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    clear = np.hypot(xx - yy, 2 * xy) / np.maximum(xx + yy, 1e-6)
    return angle.astype(np.float32), clear.astype(np.float32)


def plain_hair(seed: int, fine: float = 0.07, coarse: float = 0.07) -> Example:
    """Soft invented strands for a photo that shows too little hair; contrasts are relative."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((2, 192, 192)).astype(np.float32)
    bands = [
        cv2.GaussianBlur(noise[k], (0, 0), sigmaX=across, sigmaY=along)
        for k, (across, along) in enumerate(((0.9, 9.0), (3.0, 18.0)))
    ]
    grey = sum(size * band / band.std() for size, band in zip((fine, coarse), bands, strict=True))
    detail = np.repeat(np.asarray(grey, np.float32)[..., None], 4, -1)
    detail[..., 3] = 1
    angle = np.full(grey.shape, np.pi / 2, np.float32)
    centres = rng.integers(40, 152, (_CENTRES, 2)).astype(np.int32)
    return Example(detail, angle, centres, 6e-4, 0.8)
