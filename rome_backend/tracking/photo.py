# SPDX-License-Identifier: Apache-2.0
"""Reads image files of any kind, also hostile ones, into upright 8-bit sRGB within bounded memory.

Does not know faces.
"""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from rome_backend.core.errors import PhotoRefused
from rome_backend.core.types import U8, Photo
from rome_backend.tracking.decoder_errors import DECODER_ERRORS
from rome_backend.tracking.photo_opencv import decode_with_opencv
from rome_backend.tracking.pixel_range import to_eight_bits

MAXIMUM_PIXELS = 100_000_000
# These decoders take up to 20 bytes per pixel; 1.5 GiB must be enough for everything.
_HUNGRY_FORMATS = ("WEBP", "JPEG2000", "AVIF", "GIF")
_MAXIMUM_HUNGRY_PIXELS = 40_000_000
_KEPT_PIXELS = 24_000_000
_MAXIMUM_BYTES = 512 * 1024**2
_MINIMUM_SIDE = 48
# Of 35 mm film; cameras without a word for it write 0.
_SHORTEST_MM, _LONGEST_MM = 8.0, 1000.0
_SIZE_TAGS = (ExifTags.Base.ImageWidth, ExifTags.Base.ImageLength)
_EXIF_SIZE_TAGS = (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
_ONE_CHANNEL = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")


def load_photo(
    source: Path | str | bytes, max_pixels: int = MAXIMUM_PIXELS, name: str = "photo"
) -> Photo:
    """Read an image file into upright sRGB.

    EXIF orientation and colour profile are applied; CMYK, grey, palette, 16-bit, floating-point
    and 1-bit images become 8-bit RGB. Of an animation the first frame is taken. The number of
    pixels is checked before they are decoded, and more than 24 million are reduced by averaging.

    Args:
        source: a path, or the content of a file.
        max_pixels: more than this is refused; some formats are refused above 40 million.
        name: name of the photo when `source` is bytes.

    Returns:
        A Photo; warnings may hold 'several_frames', 'photo_reduced', 'colour_profile_ignored'.
        Its alpha is None unless the file has an alpha channel that is not the same everywhere.

    Raises:
        PhotoRefused: 'photo_unreadable', 'photo_truncated', 'photo_too_large', 'photo_too_small'.
    """
    if isinstance(source, bytes):
        data = source
    else:
        data, name = _read(Path(source)), Path(source).name
    if len(data) == 0:
        raise _refused("photo_unreadable", f"{name} is empty.")
    with warnings.catch_warnings():
        # Pillow warns of sizes, which are checked here, and of damaged tags, which do no harm.
        warnings.simplefilter("ignore")
        return _open(data, name, max_pixels)


def _open(data: bytes, name: str, max_pixels: int) -> Photo:
    try:
        image = Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        return _photo(decode_with_opencv(data, name, max_pixels), None, name, [])
    except Image.DecompressionBombError as error:
        raise _too_large(name) from error
    except DECODER_ERRORS as error:
        raise _unreadable(name) from error
    limit = _MAXIMUM_HUNGRY_PIXELS if image.format in _HUNGRY_FORMATS else max_pixels
    _check_size(image.size, name, min(limit, max_pixels))
    return _decode(image, name)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAXIMUM_BYTES:
            raise _too_large(path.name)
        return path.read_bytes()
    except OSError as error:
        raise PhotoRefused(
            "photo_unreadable",
            f"{path.name} cannot be opened ({error.strerror or error}).",
            "Check the file's name and that you may read it.",
        ) from error


def _check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise _too_large(name)
    if min(size) < _MINIMUM_SIDE:
        raise _refused("photo_too_small", f"{name} has only {size[0]} x {size[1]} pixels.")


def _decode(image: Image.Image, name: str) -> Photo:
    notes: list[str] = []
    try:
        if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
            notes.append("several_frames")
        reduced = _load(image)
        if reduced is not image:
            notes.append("photo_reduced")
        upright = ImageOps.exif_transpose(_with_profile(reduced, image, notes))
        rgb, alpha = _split(upright)
    except DECODER_ERRORS as error:
        if "truncated" in str(error).lower():
            raise _refused("photo_truncated", f"{name} is cut off in the middle.") from error
        raise _unreadable(name) from error
    return _photo(rgb, alpha, name, notes, _focal(image))


def _focal(image: Image.Image) -> float | None:
    """Return the focal length in mm of 35 mm film that the file tells, if it can be true.

    None for a photo that had other proportions when it was taken: it was cropped since.
    """
    try:
        exif = image.getexif()
        told = exif.get_ifd(ExifTags.IFD.Exif)
        focal = float(told.get(ExifTags.Base.FocalLengthIn35mmFilm, 0))
        taken = [
            (float(tags.get(width, 0)), float(tags.get(height, 0)))
            for tags, width, height in ((exif, *_SIZE_TAGS), (told, *_EXIF_SIZE_TAGS))
        ]
    except (*DECODER_ERRORS, TypeError):
        return None
    for width, height in taken:
        if min(width, height) > 0 and abs(_slimness(width, height) - _slimness(*image.size)) > 0.02:
            return None
    return focal if _SHORTEST_MM <= focal <= _LONGEST_MM else None


def _slimness(width: float, height: float) -> float:
    """Return a picture's shorter side in parts of its longer one."""
    return min(width, height) / max(width, height)


def _load(image: Image.Image) -> Image.Image:
    """Decode; pictures above the kept size are decoded smaller or averaged down at once."""
    pixels = image.size[0] * image.size[1]
    factor = math.ceil(math.sqrt(pixels / _KEPT_PIXELS))
    if factor == 1:
        image.load()
        return image
    image.draft(None, (image.size[0] // factor, image.size[1] // factor))
    image.load()
    remaining = math.ceil(math.sqrt(image.size[0] * image.size[1] / _KEPT_PIXELS))
    exif = image.getexif()
    if image.mode.startswith("I;16"):
        image = Image.fromarray(to_eight_bits(np.asarray(image)))
    if image.mode in ("P", "1", "PA"):
        image = image.convert("RGBA" if _has_alpha(image) else "RGB")
    smaller = image.reduce(max(remaining, 1))
    if ExifTags.Base.Orientation in exif:
        smaller.info["exif"] = exif.tobytes()
    return smaller


def _with_profile(image: Image.Image, source: Image.Image, notes: list[str]) -> Image.Image:
    """Convert colours by the file's profile, if it has one, into sRGB."""
    profile = source.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "CMYK"):
        return image
    try:
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError):
        notes.append("colour_profile_ignored")
        return image
    return converted if converted is not None else image


def _has_alpha(image: Image.Image) -> bool:
    return image.has_transparency_data


def _split(image: Image.Image) -> tuple[U8, U8 | None]:
    """Return rgb (H, W, 3) u8 and alpha (H, W) u8 or None."""
    if image.mode in _ONE_CHANNEL:
        grey = to_eight_bits(np.asarray(image))
        return np.repeat(grey[..., None], 3, axis=2), None
    if _has_alpha(image):
        rgba = np.array(image.convert("RGBA"))
        return np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3])
    return np.array(image.convert("RGB")), None


def _photo(
    rgb: U8, alpha: U8 | None, name: str, notes: list[str], focal: float | None = None
) -> Photo:
    if alpha is not None and alpha.min() == alpha.max():
        alpha = None
    return Photo(rgb=rgb, alpha=alpha, name=name, warnings=tuple(notes), focal_mm=focal)


def _refused(code: str, message: str) -> PhotoRefused:
    return PhotoRefused(
        code, message, "Choose another photo, or save this one again as JPEG or PNG."
    )


def _unreadable(name: str) -> PhotoRefused:
    return _refused("photo_unreadable", f"{name} is damaged or no picture.")


def _too_large(name: str) -> PhotoRefused:
    return PhotoRefused(
        "photo_too_large",
        f"{name} has more pixels than can be read safely.",
        "Scale it down to at most 40 million pixels, or crop it to the person.",
    )
