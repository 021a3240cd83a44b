# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws a frame over the whole of a viewport's region, in its linear colours.

Does not know the backend or what the frame shows. The viewport is scene-linear and premultiplied
until Blender applies the scene's view transform, so the frame's sRGB-encoded, straight colours are
converted here, by the graphics card: each of the four texels around a place before they are mixed,
so that a small frame drawn large has no dark edge.
"""

from __future__ import annotations

from typing import Any

import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from mathutils import Matrix
from numpy.typing import NDArray

TYPES: Any = gpu.types  # whose constructors Blender's stubs do not know
CORNERS = ((-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0))
VERTEX = """
void main()
{
  place = corner * 0.5 + 0.5;
  gl_Position = vec4(corner, 0.0, 1.0);
}
"""
FRAGMENT = """
vec4 texel(ivec2 at)
{
  ivec2 size = textureSize(picture, 0);
  at = clamp(at, ivec2(0), size - 1);
  vec4 shown = texelFetch(picture, ivec2(at.x, size.y - 1 - at.y), 0);
  vec3 low = shown.rgb / 12.92;
  vec3 high = pow((shown.rgb + 0.055) / 1.055, vec3(2.4));
  vec3 linear = mix(low, high, step(vec3(0.04045), shown.rgb));
  return vec4((to_scene * vec4(linear, 0.0)).rgb * shown.a, shown.a);
}

void main()
{
  vec2 at = place * vec2(textureSize(picture, 0)) - 0.5;
  ivec2 first = ivec2(floor(at));
  vec2 part = at - floor(at);
  vec4 below = mix(texel(first), texel(first + ivec2(1, 0)), part.x);
  vec4 above = mix(texel(first + ivec2(0, 1)), texel(first + ivec2(1, 1)), part.x);
  colour = mix(below, above, part.y);
}
"""


class Picture:
    """One frame on the graphics card, and what draws it. To be made and used while drawing."""

    def __init__(self) -> None:
        self._shader = _shader()
        self._batch = batch_for_shader(self._shader, "TRI_STRIP", {"corner": CORNERS})
        self._texture: gpu.types.GPUTexture | None = None
        self._number = 0

    def draw(
        self, combined: NDArray[np.float32], number: int, to_scene: NDArray[np.float32]
    ) -> None:
        """Draw a frame (H, W, 4): sRGB-encoded, straight, top row first.

        number: tells frames apart, so that each travels to the card once; to_scene (3, 3): linear
        sRGB to the file's working space.
        """
        if self._texture is None or number != self._number:
            self._texture, self._number = _texture(combined), number
        matrix = np.eye(4)
        matrix[:3, :3] = to_scene
        gpu.state.depth_test_set("NONE")
        gpu.state.depth_mask_set(False)
        gpu.state.blend_set("ALPHA_PREMULT")
        self._shader.bind()
        self._shader.uniform_sampler("picture", self._texture)
        self._shader.uniform_float("to_scene", Matrix(matrix.tolist()))
        self._batch.draw(self._shader)
        gpu.state.blend_set("NONE")


def _texture(combined: NDArray[np.float32]) -> gpu.types.GPUTexture:
    height, width = combined.shape[:2]
    # What came through the pipe names its byte order, which Blender does not take.
    flat = np.ascontiguousarray(combined, dtype=np.float32).view(np.float32).ravel()
    pixels = TYPES.Buffer("FLOAT", flat.size, flat)
    return TYPES.GPUTexture((width, height), format="RGBA16F", data=pixels)


def _shader() -> gpu.types.GPUShader:
    between = TYPES.GPUStageInterfaceInfo("rome_picture")
    between.smooth("VEC2", "place")
    info = TYPES.GPUShaderCreateInfo()
    info.push_constant("MAT4", "to_scene")
    info.sampler(0, "FLOAT_2D", "picture")
    info.vertex_in(0, "VEC2", "corner")
    info.vertex_out(between)
    info.fragment_out(0, "VEC4", "colour")
    info.vertex_source(VERTEX)
    info.fragment_source(FRAGMENT)
    return gpu.shader.create_from_info(info)
