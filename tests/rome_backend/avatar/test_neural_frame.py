# SPDX-License-Identifier: Apache-2.0
"""Heads drawn by networks lie in a frame where the textured mesh does, in any camera.

Does not need trained networks: a stand-in shows its neural texture as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from rome_backend.avatar.neural_frame import NeuralHead, NeuralLook, neural_combined
from rome_backend.core.camera import orbit, perspective
from rome_backend.core.types import F64, Camera
from rome_backend.render.frame import render_frame
from rome_backend.render.scene import PlacedHead
from rome_backend.render.surface import textured_surface

EYE = np.eye(4)
SIDE = 256
COLOUR = 0.75
GRID = 9


class Shown(nn.Module):
    """Shows the first three channels of the neural texture, and a mask where there is one.

    `seen` is what it was given: 8 channels of texture, then the normals and their harmonics.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        self.seen.append(values)
        covered = (values[:, 7:8] > 0.5).float()
        logits = torch.logit(values[:, :3].clamp(0.01, 0.99))
        return torch.cat([logits, 20 * covered - 10], dim=1)


def dome(radius: float = 0.1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3), faces and corner UVs of half a sphere that faces +z."""
    u, v = np.meshgrid(np.linspace(0, 1, GRID), np.linspace(0, 1, GRID))
    x, y = 2 * u - 1, 2 * v - 1
    z = np.sqrt(np.maximum(2 - x**2 - y**2, 0))
    vertices = np.stack([x, y, z], -1).reshape(-1, 3) * radius
    a = np.arange(GRID * GRID).reshape(GRID, GRID)[:-1, :-1].ravel()
    faces = np.concatenate([np.stack([a, a + 1, a + GRID + 1], 1),
                            np.stack([a, a + GRID + 1, a + GRID], 1)])  # fmt: skip
    uvs = (0.2 + 0.6 * np.stack([u, v], -1)).reshape(-1, 2)[faces]
    return vertices, faces.astype(np.int32), uvs.astype(np.float32)


def head(
    to_world: F64 = EYE,
    neural: bool = True,
    picture: nn.Module | None = None,
    level: float = COLOUR,
) -> NeuralHead:
    """The dome where it stands; by networks its colour is `level`, as a mesh 200 of 255."""
    vertices, faces, uvs = dome()
    placed = (vertices @ to_world[:3, :3].T + to_world[:3, 3]).astype(np.float32)
    surface = textured_surface(faces, uvs, np.full((8, 8, 3), 200, np.uint8))
    mirrored = bool(np.linalg.det(to_world[:3, :3]) < 0)
    texture = torch.full((1, 8, 16, 16), level)
    texture[:, 7] = 1
    look = NeuralLook(picture or Shown(), texture)
    return NeuralHead(PlacedHead(surface, placed, mirrored), to_world, look if neural else None)


VIEW = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -1], [0, 0, 0, 1.0]])


def oblong() -> Camera:
    """Pixels twice as high as wide."""
    narrow = ortho()
    return Camera(np.diag([2.0, 1, 1, 1]) @ narrow.world_to_clip, 240, 200)


def moved(x: float = 0.0, y: float = 0.0, z: float = 0.0, scale: Any = 1.0) -> F64:
    matrix = np.diag([*np.broadcast_to(scale, 3), 1.0])
    matrix[:3, 3] = x, y, z
    return matrix


def ortho(width: int = 240, height: int = 200, metres: float = 0.5) -> Camera:
    return orbit(np.zeros(3), 1.0, 0.0, 0.0, metres, width, height)


def pinhole(width: int = 240, height: int = 200) -> Camera:
    return perspective(1.8 * height, np.eye(3), (0, 0, -1), width, height)


def coverage(heads: list[NeuralHead], camera: Camera) -> np.ndarray:
    frame = render_frame(
        [each.placed for each in heads], camera.world_to_clip, VIEW, camera.width,
        camera.height, ("mask",),
    )  # fmt: skip
    assert frame.mask is not None
    return frame.mask


def drawn(heads: list[NeuralHead], camera: Camera, side: int = SIDE) -> np.ndarray:
    return neural_combined(heads, camera, VIEW, side)


CASES = {
    "orthographic": (ortho(), EYE),
    "pinhole": (pinhole(), EYE),
    "off the middle": (pinhole(), moved(0.1, -0.08)),
    "partly outside": (ortho(), moved(0.25, 0.2)),
    "larger than the frame": (ortho(metres=0.15), EYE),
    "small": (ortho(metres=2.0), EYE),
    "oblong pixels": (oblong(), EYE),
    "scaled and mirrored": (ortho(), moved(scale=(-1.4, 1.4, 1.4))),
}


@pytest.mark.parametrize("case", CASES)
def test_it_lies_where_the_mesh_does_in_the_networks_colour(case: str) -> None:
    camera, placed = CASES[case]
    heads = [head(placed)]
    found, wanted = drawn(heads, camera), coverage(heads, camera)
    assert found.shape == (200, 240, 4) and found.dtype == np.float32
    both, either = np.minimum(found[..., 3], wanted).sum(), np.maximum(found[..., 3], wanted).sum()
    assert either > 100 and both / either > 0.93
    if found[..., 3].min() < 0.5:
        places = [np.argwhere(mask > 0.5).mean(0) for mask in (found[..., 3], wanted)]
        assert np.abs(places[0] - places[1]).max() < 0.5
    inside = found[found[..., 3] > 0.999]
    assert np.abs(inside[:, :3] - COLOUR).max() < 1 / 255
    assert (found[found[..., 3] == 0] == 0).all()


@pytest.mark.parametrize("side", [64, 512])
def test_what_the_networks_draw_is_as_large_as_was_asked(side: int) -> None:
    picture = Shown()
    drawn([head(picture=picture)], ortho(), side)
    assert [tuple(each.shape) for each in picture.seen] == [(1, 47, side, side)]
    assert 0.75 < (picture.seen[0][0, 7] > 0.5).float().mean() < 0.95  # the head fills it


def test_the_nearest_head_is_in_front_however_it_is_drawn() -> None:
    far, near = head(moved(z=-0.3), level=0.2), head(moved(z=0.3), level=0.8)
    mesh = head(moved(z=0.3), neural=False)
    for heads, wanted in (([far, near], 0.8), ([near, far], 0.8), ([far, mesh], 200 / 255)):
        assert drawn(heads, ortho())[100, 120].tolist() == pytest.approx([wanted] * 3 + [1], 1e-2)


def test_beside_each_other_both_are_seen() -> None:
    found = drawn([head(moved(-0.15), level=0.2), head(moved(0.15), neural=False)], ortho())
    assert found[100, 60].tolist() == pytest.approx([0.2, 0.2, 0.2, 1], abs=0.01)
    assert found[100, 180].tolist() == pytest.approx([200 / 255] * 3 + [1], abs=0.01)


def test_a_mesh_alone_is_drawn_as_always() -> None:
    one = head(moved(0.03), neural=False)
    frame = render_frame(
        [one.placed], ortho().world_to_clip, VIEW, 240, 200, ("combined",)
    ).combined  # fmt: skip
    assert np.abs(drawn([one], ortho()) - frame).max() < 1e-5


def test_normals_are_those_of_the_heads_own_frame() -> None:
    """However the head is turned, moved, scaled or mirrored in the world."""
    turn = moved(0.05, 0.02, 0.1, scale=(-1.5, 1.5, 1.5))
    turn[:3, :3] = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]) @ turn[:3, :3]
    plain, turned = Shown(), Shown()
    drawn([head(picture=plain)], ortho())
    drawn([head(turn, picture=turned)], ortho())
    one, other = (each.seen[0][0, 8:11] for each in (plain, turned))
    # What was at x, y is now at -y, -x: mirrored, then a quarter turn to the left.
    alike = (one.transpose(1, 2) - other).abs().amax(0) < 0.06
    assert alike.float().mean() > 0.95  # all but the edge, where a pixel may fall to either side
    assert one[0].max() > 0.4 and one[0].min() < -0.4


def test_behind_the_camera_there_is_nothing() -> None:
    picture = Shown()
    assert not drawn([head(moved(z=3.0), picture=picture)], pinhole()).any()
    assert not drawn([head(moved(x=9.0))], ortho()).any()
    assert not picture.seen


def test_a_face_without_its_vertex_is_refused() -> None:
    one = head()
    short = PlacedHead(one.placed.surface, one.placed.vertices[:-1])
    with pytest.raises(ValueError, match="vertex"):
        drawn([NeuralHead(short, EYE, one.look)], ortho())


def test_it_stops_before_a_head_when_asked_to() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    picture = Shown()
    with pytest.raises(KeyboardInterrupt):
        neural_combined([head(picture=picture)], ortho(), VIEW, SIDE, check=stop)
    assert not picture.seen
