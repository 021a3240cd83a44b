# SPDX-License-Identifier: Apache-2.0
"""`bench sheet`: every photo of a folder beside its head from all sides, on one page.

Judges nothing: the page is for eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from rome_backend.avatar.animate import avatar_vertices
from rome_backend.avatar.create import CreateOptions, create_avatar, load_tools
from rome_backend.avatar.render import PAPER, avatar_picture, camera_round
from rome_backend.avatar.sheet import Cell, page, photo_of
from rome_backend.bench.dataset import DataPhoto
from rome_backend.core.errors import PhotoRefused
from rome_backend.core.types import U8, Avatar, HeadModel

CELL = 220
VIEWS = (("front", 0.0), ("35", 35.0), ("60", 60.0), ("90", 90.0), ("back", 180.0))
_NAME_LENGTH = 28
_OVERSAMPLING = 2
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class BlindSheet:
    """page (H, W, 3) u8 sRGB; shown: names of the photos that became heads, in order; refused:
    names of the others with the code of why."""

    page: U8
    shown: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


def blind_sheet(
    photos: Sequence[DataPhoto],
    options: CreateOptions,
    progress: Progress,
    cell: int = CELL,
    across: int = 2,
) -> BlindSheet:
    """Make a head of every photo and lay photo, front, 35, 60, 90 degrees and back side by side.

    Args:
        cell: side of one picture in px; across: photos side by side in one row of the page.

    A photo that is refused is shown with the error's code and empty cells.
    """
    tools = load_tools(options.head)
    strips, shown, refused = [], [], []
    for index, photo in enumerate(photos):
        progress(photo.path.name, index / len(photos))
        name = photo.path.stem[:_NAME_LENGTH]
        try:
            avatar = create_avatar([photo.path], options, tools=tools).avatar
        except PhotoRefused as error:
            refused.append((photo.path.name, error.code))
            strips.append(_refused(photo, f"{name}: {error.code}", cell))
            continue
        shown.append(photo.path.name)
        strips.append(strip(avatar, tools.head, name, cell))
    across = min(across, len(strips))
    rows = [sum(strips[start : start + across], []) for start in range(0, len(strips), across)]
    return BlindSheet(page(rows, cell), tuple(shown), tuple(refused))


def strip(avatar: Avatar, head: HeadModel, name: str, cell: int) -> list[Cell]:
    """Return the photo and the head's views of one avatar, one picture (cell, cell, 3) each."""
    vertices = avatar_vertices(avatar, head)
    cells = [(name, photo_of(avatar, cell))]
    for title, yaw in VIEWS:
        camera = camera_round(vertices, yaw, 0.0, cell * _OVERSAMPLING)
        large = avatar_picture(avatar, head, camera)[..., :3]
        small = Image.fromarray(np.ascontiguousarray(large)).resize(
            (cell, cell), Image.Resampling.BOX
        )
        cells.append((title, np.asarray(small)))
    return cells


def _refused(photo: DataPhoto, title: str, cell: int) -> list[Cell]:
    """Return the file's picture as far as it can be read, and paper."""
    paper = np.full((cell, cell, 3), PAPER, np.uint8)
    try:
        with Image.open(photo.path) as image:
            small = ImageOps.pad(image.convert("RGB"), (cell, cell), color=PAPER)
        first = np.asarray(small)
    except (OSError, ValueError):
        first = paper
    return [(title, first), *((name, paper) for name, _ in VIEWS)]
