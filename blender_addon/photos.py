# SPDX-License-Identifier: GPL-3.0-or-later
"""The photos a person chose, with a small picture of the first one's face.

Does not know bpy's data: a photo's path must never get into a .blend.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
FRAME = (255, 140, 30)
MOST = 8


@dataclass
class Choice:
    """The chosen photos and what was found in the first.

    paths: files in the order they were added; faces: boxes (n, 4) f32 px left, top, right,
    bottom, largest first, or None where nobody has looked yet; size: of the photo in px;
    picture: (h, w, 3) u8, the photo made small; problem: one sentence where there is one.
    """

    paths: list[str] = field(default_factory=list)
    faces: NDArray[np.float32] | None = None
    size: tuple[int, int] = (0, 0)
    picture: NDArray[np.uint8] | None = None
    problem: str = ""

    def add(self, paths: Iterable[str]) -> int:
        """Add photos that are not there yet, up to MOST; return how many were added."""
        new = [path for path in dict.fromkeys(paths) if path not in self.paths and is_photo(path)]
        new = new[: MOST - len(self.paths)]
        if new and not self.paths:
            self.forget_face()
        self.paths += new
        return len(new)

    def remove(self, index: int) -> None:
        """Take out one photo; IndexError where there is none."""
        del self.paths[index]
        if index == 0:
            self.forget_face()

    def clear(self) -> None:
        """Take out all photos."""
        self.paths.clear()
        self.forget_face()

    def forget_face(self) -> None:
        """Forget what was found in the first photo."""
        self.faces, self.picture, self.size, self.problem = None, None, (0, 0), ""


CHOICE = Choice()


def is_photo(path: str) -> bool:
    """Whether a file's ending is that of a photo."""
    return Path(path).suffix.lower() in ENDINGS


def framed(choice: Choice, face: int) -> NDArray[np.float32] | None:
    """Return the picture with the chosen face framed, (h, w, 4) f32 sRGB, row 0 at the bottom.

    None where there is no picture yet. A face that was not found is not framed.
    """
    if choice.picture is None:
        return None
    picture = choice.picture.copy()
    if choice.faces is not None and face < len(choice.faces):
        _frame(picture, choice.faces[face], choice.size)
    rgba = np.ones((*picture.shape[:2], 4), dtype=np.float32)
    rgba[..., :3] = picture[::-1] / 255.0
    return rgba


def _frame(picture: NDArray[np.uint8], box: NDArray[np.float32], size: tuple[int, int]) -> None:
    height, width = picture.shape[:2]
    scale = np.array([width / max(size[0], 1), height / max(size[1], 1)] * 2)
    left, top, right, bottom = np.round(box * scale).astype(int)
    left, right = np.clip((left, right), 0, width - 1)
    top, bottom = np.clip((top, bottom), 0, height - 1)
    line = max(1, round(max(height, width) / 100))
    picture[top : top + line, left : right + 1] = FRAME
    picture[max(bottom - line + 1, 0) : bottom + 1, left : right + 1] = FRAME
    picture[top : bottom + 1, left : left + line] = FRAME
    picture[top : bottom + 1, max(right - line + 1, 0) : right + 1] = FRAME
