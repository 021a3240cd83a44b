# SPDX-License-Identifier: GPL-3.0-or-later
"""A drawn frame as the flat arrays of Blender's render passes.

Does not know the backend or the scene. Blender wants the bottom row first, colour scene-linear
and premultiplied, and where nothing is a depth of 1e10.
"""

from __future__ import annotations

import numpy as np
from mathutils import Color
from numpy.typing import NDArray

from ..core_access import FrameReady, srgb_to_linear

FAR = 1e10

# Our name of a pass -> Blender's name, channels, their letters, kind (RenderEngine.register_pass).
PASSES: dict[str, tuple[str, int, str, str]] = {
    "combined": ("Combined", 4, "RGBA", "COLOR"),
    "mask": ("Mask", 1, "X", "VALUE"),
    "depth": ("Depth", 1, "Z", "VALUE"),
    "uv": ("UV", 3, "UVA", "VECTOR"),
    "normal": ("Normal", 3, "XYZ", "VECTOR"),
}


def scene_linear_matrix() -> NDArray[np.float32]:
    """Return (3, 3) f32: linear sRGB to the file's working space, which Blender 5 lets choose."""
    units = np.eye(3).tolist()
    return np.array([Color(unit).from_srgb_to_scene_linear()[:] for unit in units], np.float32).T


def premultiplied(
    combined: NDArray[np.float32], matrix: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return (H, W, 4) scene-linear, premultiplied colour of sRGB-encoded, straight colour."""
    covered = combined[..., 3] > 0
    out = np.zeros_like(combined)
    part = combined[covered]
    linear = srgb_to_linear(part[:, :3]) @ matrix.T
    out[covered] = np.concatenate([linear * part[:, 3:], part[:, 3:]], axis=1)
    return out


def pass_arrays(frame: FrameReady, matrix: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Return Blender's name of a pass -> flat f32, for the passes that the frame has."""
    found: dict[str, NDArray[np.float32]] = {}
    if frame.combined is not None:
        found["combined"] = premultiplied(frame.combined, matrix)
    if frame.mask is not None:
        found["mask"] = frame.mask
    if frame.depth is not None:
        found["depth"] = np.where(np.isfinite(frame.depth), frame.depth, np.float32(FAR))
    if frame.uv is not None:
        covered = frame.uv.any(axis=2, keepdims=True)
        if frame.mask is not None:
            covered = frame.mask[..., None] > 0
        found["uv"] = np.concatenate([frame.uv, covered.astype(np.float32)], axis=2)
    if frame.normal is not None:
        found["normal"] = frame.normal
    return {PASSES[name][0]: _flat(array) for name, array in found.items()}


def _flat(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows from the bottom, one after the other, of the dtype Blender takes.

    What came through the pipe says that it is little-endian, which Blender refuses as foreign.
    """
    flat = np.empty(array.size, dtype=np.float32)
    flat.reshape(array.shape)[:] = array[::-1]
    return flat
