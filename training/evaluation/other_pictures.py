# SPDX-License-Identifier: Apache-2.0
"""Adapters of other programs' driven pictures: given the same frames, read where each writes.

Does not know measures or avatars.

The frames to give them are written by ``write_inputs``, in the layout of FOMM's `FramesDataset`
(a folder of pictures per clip under `test`, an empty `train` beside it): the source first, then
the clip's others in order. Results are read in that order, from FOLDER:

FOMM `run.py --mode reconstruction` or `animate` (AliaksandrSiarohin/first-order-model; FOLDER is
its log folder): `reconstruction/png/CLIP.png` and `animation/png/DRIVER-SOURCE.png`, all frames
side by side. TPSMM (yoyo-nb/Thin-Plate-Spline-Motion-Model): the same `reconstruction`; it has no
`animate`, so of its `demo.py --result_video` a film `DRIVER-SOURCE.mp4`. Bi-Layer's `infer.py`
(saic-violet/bilayer-model) returns tensors and writes nothing: a folder of pictures per clip or
pair, with its `pred_target_segs` as alpha where wanted, run with `crop_data=False`. Any other
name: whichever of these is there.

Pictures without alpha get the person's matte from the network that makes the real frames'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from rome_backend.core.atomic_file import replacing
from rome_backend.core.errors import FileInvalid
from rome_backend.core.types import F32, U8
from rome_backend.tracking.clip import open_clip
from training.evaluation.frames import RealFrame, TrackedClip
from training.evaluation.renderers import Drawn

_STRIP, _FILM = ("{}.png",), ("{}.mp4", "{}.gif")
_SELF, _CROSS = "reconstruction/png/{}.png", "animation/png/{}.png"
_ANY = ("{}", *_STRIP, *_FILM)
PLACES: Mapping[str, tuple[str, ...]] = {
    "fomm": (_SELF, _CROSS),
    "tpsmm": (_SELF, *_FILM),
    "bilayer": ("{}",),
}


@dataclass(frozen=True)
class OtherPictures:
    """Another program's results: its name in tables, where its files may lie, its folder."""

    name: str
    places: tuple[str, ...]
    folder: Path

    def find(self, driver: str, source: str | None = None) -> Path | None:
        """Return the result of a clip driven by itself, or of a source driven by another clip."""
        wanted = driver if source is None else f"{driver}-{source}"
        for place in self.places:
            path = self.folder / place.format(wanted)
            if path.exists():
                return path
        return None


def other_pictures(given: Mapping[str, Path]) -> list[OtherPictures]:
    """Return the adapters of programs' results by name -> folder."""
    every = (*_ANY, _SELF, _CROSS)
    return [OtherPictures(name, PLACES.get(name, every), each) for name, each in given.items()]


def input_order(clip: TrackedClip) -> list[int]:
    """Return the frames' numbers in the order in which other programs are given them."""
    numbers = [frame.number for frame in clip.frames]
    return [numbers[clip.source], *numbers[: clip.source], *numbers[clip.source + 1 :]]


def write_inputs(folder: Path, name: str, clip: TrackedClip, frames: Sequence[RealFrame]) -> None:
    """Write the frames of a clip for other programs: `test/NAME/00000.png` and so on."""
    (folder / "train").mkdir(parents=True, exist_ok=True)
    own = folder / "test" / name
    own.mkdir(parents=True, exist_ok=True)
    by_number = {frame.number: frame for frame in frames}
    for place, number in enumerate(input_order(clip)):
        with replacing(own / f"{place:05d}.png") as stream:
            Image.fromarray(by_number[number].rgb).save(stream, "PNG")


class Recorded:
    """Draws what another program drew of the same frames.

    Args:
        pictures: (H, W, 3 or 4) u8 each; order: the number of the frame that each is of;
        matte: the person's matte of a picture without alpha.
    Raises FileInvalid (`other_frames`) when there are more or fewer pictures than frames.
    """

    def __init__(
        self, name: str, pictures: Sequence[U8], order: Sequence[int], matte: Callable[[U8], F32]
    ) -> None:
        if len(pictures) != len(order):
            raise FileInvalid(
                "other_frames", f"{name} holds {len(pictures)} pictures of {len(order)} frames.",
                "Give the program the frames that --inputs writes, with the same --every.",
            )  # fmt: skip
        self._pictures = dict(zip(order, pictures, strict=True))
        self._matte = matte

    def draw(self, frame: RealFrame) -> Drawn:
        """See Renderer.draw."""
        picture = self._pictures[frame.number]
        size = (frame.rgb.shape[1], frame.rgb.shape[0])
        if picture.shape[1::-1] != size:
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        rgb = np.ascontiguousarray(picture[..., :3])
        if picture.shape[2] == 4:
            return rgb, picture[..., 3].astype(np.float32) / np.float32(255)
        return rgb, self._matte(rgb)


def recorded(
    others: Sequence[OtherPictures],
    clip: TrackedClip,
    matte: Callable[[U8], F32],
    driver: str,
    source: str | None = None,
) -> dict[str, Recorded]:
    """Return the renderers of other programs for a clip; those that have no result are absent.

    clip: whose frames drive. Raises FileInvalid (`other_frames`, `other_unreadable`).
    """
    found = {}
    order = input_order(clip)
    for other in others:
        path = other.find(driver, source)
        if path is not None:
            pictures = list(_pictures(path, len(order)))
            found[other.name] = Recorded(path.name, pictures, order, matte)
    return found


def _pictures(path: Path, count: int) -> Iterator[U8]:
    """Yield the pictures of a folder, a film, or one picture of all side by side."""
    if path.is_dir():
        for each in sorted(path.glob("*.png")):
            yield _picture(each)
    elif path.suffix == ".png":
        strip = _picture(path)
        width, left = divmod(strip.shape[1], count)
        if left or width != strip.shape[0]:
            raise FileInvalid(
                "other_frames", f"{path.name} is not {count} squares side by side.",
                "Give the program the frames that --inputs writes, with the same --every.",
            )  # fmt: skip
        yield from (strip[:, place * width : (place + 1) * width] for place in range(count))
    else:
        yield from open_clip(path).frames()


def _picture(path: Path) -> U8:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGBA" if "A" in image.getbands() else "RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise FileInvalid(
            "other_unreadable", f"{path.name} cannot be read as a picture ({error}).",
            "Make it again.",
        ) from error  # fmt: skip
