# SPDX-License-Identifier: Apache-2.0
"""Times whole frames, from parameters to RGBA: every renderer and size, and the parts of one.

Does not know photos: the head is the average one, weights are random, expressions change.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import cycle

import numpy as np
import torch

from rome_backend.avatar.animate import avatar_vertices
from rome_backend.avatar.animator import Animator
from rome_backend.avatar.neural_render import PAPER, NeuralAvatar, View, to_pictures
from rome_backend.avatar.render import avatar_picture, camera_round
from rome_backend.avatar.renderers import ROME
from rome_backend.bench.random_networks import SEED, average_avatar, random_neural_avatar
from rome_backend.bench.rounds import Ratio, Way, in_turns, ratio
from rome_backend.core.types import FlameParams, HeadModel
from rome_backend.models.unet import PICTURE, make_unet

SIDE = 256
SIZES = (256, 512, 1024)
LIGHT_AT = {256: "light", 512: "light-blocks"}
FRAMES = (ROME, "light", "light-blocks")
LARGE = 1 << 19  # px: from here on one round is enough
POSES = 5

Seconds = dict[str, list[float]]


def bench_frames(
    head: HeadModel, rounds: int, sizes: tuple[int, ...] = SIZES
) -> tuple[dict[str, Ratio], Seconds]:
    """Return ratios and seconds of frames.

    frame_light_256_vs_official and frame_light_512_vs_official: a whole light frame, parameters to
    RGBA, against the released E_img alone at 256, eager float32 as released, in the same rounds.
    Seconds: frame_NAME_SIZE for every renderer, the textured mesh included; parts_* of one light
    frame at 256; skinning by the oracle and by the animator.
    """
    drawn = {name: random_neural_avatar(name, head)[0] for name in FRAMES}
    ways: dict[str, Way] = {"official_picture_network_eager_256": _official()}
    for size, name in LIGHT_AT.items():
        ways[f"frame_{name}_{size}"] = _frames(drawn[name], head, size)
    seconds = in_turns(ways, rounds)
    slow = seconds["official_picture_network_eager_256"]
    ratios = {
        f"frame_light_{size}_vs_official": ratio(slow, seconds[f"frame_{name}_{size}"])
        for size, name in LIGHT_AT.items()
    }
    for size in sizes:
        others = {
            f"frame_{name}_{size}": _frames(drawn[name], head, size)
            for name in FRAMES
            if f"frame_{name}_{size}" not in ways
        }
        others[f"frame_textured_{size}"] = _textured(head, size)
        seconds |= in_turns(others, 1 if size**2 >= LARGE else rounds)
    return ratios, seconds | in_turns(_parts(drawn["light"], head), rounds)


def views(head: HeadModel, size: int) -> Iterator[View]:
    """Yield views of size px without end: the head from the front, its expression changing."""
    camera = camera_round(head.template.astype(np.float64), 0.0, 0.0, size)
    random = np.random.default_rng(SEED)
    shape, count = np.zeros(head.shape_dirs.shape[2]), head.expression_dirs.shape[2]
    smiles = random.uniform(0, 0.3, (POSES, count))
    opened = np.linspace(0, 0.2, POSES)  # rad, of the jaw
    faces = [
        FlameParams(shape, smile, jaw=np.array([jaw, 0.0, 0.0]))
        for smile, jaw in zip(smiles, opened, strict=True)
    ]
    return ((camera, face) for face in cycle(faces))


def _frames(avatar: NeuralAvatar, head: HeadModel, size: int) -> Way:
    following = views(head, size)
    return lambda: avatar.pictures([next(following)])


def _textured(head: HeadModel, size: int) -> Way:
    avatar, following = average_avatar(head), views(head, size)

    def draw() -> object:
        camera, params = next(following)
        return avatar_picture(avatar, head, camera, params)

    return draw


def _official() -> Way:
    """Return the released rendering network as it was written, on one frame."""
    torch.manual_seed(SEED)
    network = make_unet(PICTURE).eval()
    seen = torch.rand(1, 47, SIDE, SIDE)

    def run() -> torch.Tensor:
        with torch.no_grad():
            return network(seen)

    return run


def _parts(avatar: NeuralAvatar, head: HeadModel) -> dict[str, Way]:
    """Return the parts of a light frame at 256, and skinning by itself."""
    view = next(views(head, SIDE))
    person = average_avatar(head)
    features = avatar.prepare([view])
    rendered = avatar.drawing.renderer.draw(features)
    seen = torch.cat([features.textured, features.normals], dim=1)
    rasterizer, faces = avatar.drawing.renderer.rasterizer, avatar.drawing.renderer.faces
    places = avatar.projected([view])[1]
    animator = Animator(person, head)
    return {
        "parts_raster_256": lambda: rasterizer.rasterize(places, faces, SIDE, SIDE),
        "parts_skin_raster_sample_256": lambda: avatar.prepare([view]),
        "parts_network_light_256": partial(avatar.drawing.renderer.network, seen),
        "parts_readback_256": lambda: to_pictures(rendered, PAPER, soft=True),
        "skinning_oracle": lambda: avatar_vertices(person, head, view[1]),
        "skinning_animator": lambda: animator.vertices([view[1]]),
    }
