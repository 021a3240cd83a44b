# SPDX-License-Identifier: Apache-2.0
"""Photographs synthetic people and notes what the face tracker sees, for the tools that learn.

Does not know what is learned: it writes landmarks next to the truth. Nothing at run time calls it.

    python tools/photograph_people.py --data ../shared/data --out shots.npz

They are other people in other textures than those of `bench identity`. Every photo of a person
takes another photo's texture, so that nobody is known by it.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rome_backend.avatar.create import CreateOptions, Tools, create_avatar, load_tools
from rome_backend.bench.dataset import photos
from rome_backend.bench.people import Person, Shot, draw_person, draw_shot, photograph, turned
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import F32, F64, I32, U8, FlameParams

WEARERS = (
    "p04_mediapipe_sergey", "p06_hastings_bald_beard", "p08_chu_bob", "p09_serrano_moustache",
    "p11_aderholt_bald", "p12_jackson_lee_braids", "p17_ai_redhair_long", "p20_ai_man_fringe",
    "p22_ai_woman_bun", "p24_author_justin",
)  # fmt: skip
SEEDS = (9004, 9005, 9006)
PEOPLE, PHOTOS_EACH = 60, 8
WIDEST_YAW = 55.0
FACE = 468


@dataclass(frozen=True)
class Shots:
    """Photos of synthetic people: owner (N,) number of the person; landmarks (N, 478, 3) f32 px
    as tracked; truth (N, 468, 3) f32 m, where they are, head space, expression included;
    rotations (N, 3, 3), head to view."""

    owner: I32
    landmarks: F32
    truth: F32
    rotations: F64


def photographed(data: Path, seeds: Sequence[int], people: int) -> Shots:
    """Return the shots of so many people of each seed in the textures of a folder's photos."""
    tools = load_tools()
    plain = CreateOptions(size=512)
    textures = [
        create_avatar([photo.path], plain, tools=tools).avatar.albedo
        for photo in photos(data, WEARERS)
    ]
    found = []
    for group, seed in enumerate(seeds):
        random = np.random.default_rng(seed)
        drawn = [draw_person(tools.head, tools.basis, random) for _ in range(people)]
        for number, person in enumerate(drawn):
            logging.info("person %d of %d", group * people + number + 1, len(seeds) * people)
            for photo in range(PHOTOS_EACH):
                shot = draw_shot(tools.head, _yaw(random), photo % 2 == 1, random)
                albedo = textures[int(random.integers(len(textures)))]
                seen = _seen(tools, person, albedo, shot, random)
                if seen is not None:
                    truth = _truth(tools, person, shot)
                    found.append((group * people + number, seen, truth, turned(shot)))
    owner, landmarks, truths, rotations = (np.array(part) for part in zip(*found, strict=True))
    return Shots(
        owner.astype(np.int32), landmarks.astype(np.float32), truths.astype(np.float32), rotations
    )


def _yaw(random: np.random.Generator) -> float:
    return float(random.uniform(-WIDEST_YAW, WIDEST_YAW))


def _seen(
    tools: Tools, person: Person, albedo: U8, shot: Shot, random: np.random.Generator
) -> F32 | None:
    faces = tools.tracker.track(photograph(tools.head, person, albedo, shot, random))
    return faces[0].landmarks if faces else None


def _truth(tools: Tools, person: Person, shot: Shot) -> F64:
    jaw = np.array([shot.jaw, 0.0, 0.0])
    params = FlameParams(shape=person.shape, expression=shot.expression, jaw=jaw)
    vertices = posed_vertices(tools.head, params)
    return landmark_points(vertices, tools.head.faces, tools.head.landmarks)[:FACE]


def read_shots(path: Path) -> Shots:
    """Return the shots that this tool wrote."""
    with np.load(path) as stored:
        return Shots(**{name: stored[name] for name in Shots.__dataclass_fields__})


def main() -> None:
    """Photograph them and write what was seen."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description="Photograph synthetic people.")
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/")
    parser.add_argument("--out", type=Path, required=True, help="npz file to write")
    parser.add_argument("--people", type=int, default=PEOPLE, help="of each seed")
    args = parser.parse_args()
    shots = photographed(args.data, SEEDS, args.people)
    np.savez(args.out, **vars(shots))
    logging.info("%s: %d photos", args.out, len(shots.owner))


if __name__ == "__main__":
    main()
