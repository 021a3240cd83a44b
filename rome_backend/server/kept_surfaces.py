# SPDX-License-Identifier: Apache-2.0
"""The surfaces that the add-on sent, within limits of number and memory.

Does not know messages or what is drawn. Every stroke on a texture in a viewport makes another
surface of it, a quarter of a gigabyte each at 4096 px, so what is no longer drawn must go.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from rome_backend.core.errors import RomeError

if TYPE_CHECKING:
    from rome_backend.render.surface import Surface

MOST = 32  # more different heads than this do not fit one frame
MOST_BYTES = 1 << 30


class KeptSurfaces:
    """Surfaces by their ids.

    The least used are forgotten: beyond MOST of them, and beyond MOST_BYTES as long as the newest
    two frames did not show them. What came since then is always kept, so that a frame whose
    surfaces were all sent before it can be drawn, however large they are.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Surface, int]] = OrderedDict()
        self._frames = 0

    def begin_frame(self) -> None:
        """Take note that what is used from now on is for another frame."""
        self._frames += 1

    def keep(self, surface_id: str, surface: Surface) -> None:
        """Keep a surface, in the place of the one that had its id."""
        self._kept[surface_id] = surface, self._frames
        self._kept.move_to_end(surface_id)
        while len(self._kept) > MOST or self._may_shrink():
            self._kept.popitem(last=False)

    def used(self, surface_id: str) -> Surface:
        """Return a surface for the current frame; RomeError `surface_unknown` asks for it."""
        if surface_id not in self._kept:
            raise RomeError(
                "surface_unknown", "The backend does not know a head's surface.", "Send it again."
            )
        surface = self._kept[surface_id][0]
        self._kept[surface_id] = surface, self._frames
        self._kept.move_to_end(surface_id)
        return surface

    def _may_shrink(self) -> bool:
        """Return whether the least used surface is in the way and not needed."""
        _, last_frame = next(iter(self._kept.values()))
        if last_frame >= self._frames - 1:
            return False
        return sum(_size(surface) for surface, _ in self._kept.values()) > MOST_BYTES


def _size(surface: Surface) -> int:
    """Return bytes."""
    tensors = (surface.faces, surface.uvs, *surface.levels)
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
