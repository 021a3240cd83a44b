# SPDX-License-Identifier: Apache-2.0
"""The contact sheet: one page that shows what became of a photo.

Does not know files or how an avatar is made.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rome_backend.avatar.animate import avatar_vertices
from rome_backend.avatar.render import (
    PAPER,
    avatar_picture,
    camera_round,
    expression_pictures,
    expressions_of,
)
from rome_backend.core.types import U8, Avatar, HeadModel

CELL = 300
GAP = 12
CAPTION = 26
WINDOW = 2.3  # side of the shown photo in heights of the face
RAISED = 0.54  # where the face is between its top and bottom
INK = (60, 60, 64)
DOT = (0, 220, 140)
VIEWS = (("front", 0.0), ("35 degrees", 35.0), ("90 degrees", 90.0), ("back", 180.0))

Cell = tuple[str, U8]


def contact_sheet(avatar: Avatar, head: HeadModel, cell: int = CELL) -> U8:
    """Return the page (H, W, 3) u8 sRGB.

    Rows: photo and clay views, landmark overlay and textured views, five expressions.
    ``cell``: side of one picture in px. Raises FileInvalid for another head model.
    """
    clay = [("photo", photo_of(avatar, cell)), *_views(avatar, head, cell, clay=True)]
    skin = [
        ("landmarks", landmark_overlay(avatar, cell)),
        *_views(avatar, head, cell, clay=False),
    ]
    faces = expression_pictures(avatar, head, cell)
    named = [(face.title, image) for face, image in zip(expressions_of(head), faces, strict=True)]
    return page([clay, skin, named], cell)


def landmark_overlay(avatar: Avatar, size: int) -> U8:
    """Return the photo's head (size, size, 3) u8 with the tracker's landmarks drawn on it."""
    image = photo_of(avatar, size).copy()
    left, top, side = _window(avatar)
    for x, y in (avatar.source_landmarks[:, :2] - (left, top)) * (size / side):
        # cv2 counts pixel centres from 0 and takes sixteenths of a pixel with shift=4
        centre = (round(16 * (float(x) - 0.5)), round(16 * (float(y) - 0.5)))
        cv2.circle(image, centre, 16, DOT, -1, cv2.LINE_AA, shift=4)
    return image


def photo_of(avatar: Avatar, size: int) -> U8:
    """Return the part of the source crop round the head, (size, size, 3) u8."""
    left, top, side = _window(avatar)
    box = (left, top, left + side, top + side)
    image = Image.fromarray(avatar.source_crop)
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS, box))


def _window(avatar: Avatar) -> tuple[float, float, float]:
    """Return left, top and side in px of the square of the source crop that is shown."""
    points = avatar.source_landmarks[:, :2]
    low, high = points.min(0), points.max(0)
    crop = avatar.source_crop.shape[1]
    side = min(WINDOW * float((high - low).max()), crop) or crop
    middle = (low + high) / 2
    left = float(np.clip(middle[0] - side / 2, 0, crop - side))
    top = float(np.clip(middle[1] - RAISED * side, 0, crop - side))
    return left, top, float(side)


def page(rows: Sequence[Sequence[Cell]], cell: int) -> U8:
    """Lay captioned square pictures (cell, cell, 3 or 4) out in rows; (H, W, 3) u8."""
    columns = max(len(row) for row in rows)
    width = GAP + columns * (cell + GAP)
    height = GAP + len(rows) * (cell + CAPTION + GAP)
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=14)
    for row_index, row in enumerate(rows):
        top = GAP + row_index * (cell + CAPTION + GAP)
        for column, (title, image) in enumerate(row):
            left = GAP + column * (cell + GAP)
            sheet.paste(Image.fromarray(np.ascontiguousarray(image[..., :3])), (left, top))
            middle = (left + cell / 2, top + cell + CAPTION / 2)
            draw.text(middle, title, fill=INK, font=font, anchor="mm")
    return np.asarray(sheet)


def _views(avatar: Avatar, head: HeadModel, cell: int, clay: bool) -> list[Cell]:
    vertices = avatar_vertices(avatar, head)
    return [
        (
            f"{'clay' if clay else 'textured'}, {title}",
            avatar_picture(
                avatar, head, camera_round(vertices, yaw, 0.0, cell), clay=clay
            ),
        )
        for title, yaw in VIEWS
    ]
