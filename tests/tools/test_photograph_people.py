# SPDX-License-Identifier: Apache-2.0
"""Tests of the photos of synthetic people: what is written is the truth about them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rome_backend.avatar.heads import load_head
from rome_backend.bench.dataset import photos
from rome_backend.bench.identity import TEXTURES
from rome_backend.bench.people import Shot
from rome_backend.core.skinning import shape_vertices
from tools import photograph_people
from tools.photograph_people import PHOTOS_EACH, WEARERS, Shots, photographed, read_shots


class Tracker:
    """Sees every face but the third."""

    def __init__(self) -> None:
        self.asked = 0

    def track(self, rgb: np.ndarray) -> list[SimpleNamespace]:
        self.asked += 1
        seen = SimpleNamespace(landmarks=np.full((478, 3), self.asked, np.float32))
        return [] if self.asked == 3 else [seen]


@pytest.fixture
def shots(monkeypatch: pytest.MonkeyPatch) -> Shots:
    head, basis = load_head()
    tools = SimpleNamespace(head=head, basis=basis, tracker=Tracker())
    texture = SimpleNamespace(avatar=SimpleNamespace(albedo=np.zeros((4, 4, 3), np.uint8)))
    monkeypatch.setattr(photograph_people, "load_tools", lambda: tools)
    monkeypatch.setattr(photograph_people, "photos", lambda data, names: [SimpleNamespace(path=1)])
    monkeypatch.setattr(photograph_people, "create_avatar", lambda *args, **kwargs: texture)
    monkeypatch.setattr(photograph_people, "photograph", lambda *args: np.zeros((8, 8, 3)))
    return photographed(Path("data"), (1, 2), 1)


def test_every_face_that_is_seen_stands_next_to_its_truth(shots: Shots) -> None:
    assert len(shots.owner) == 2 * PHOTOS_EACH - 1
    assert (shots.owner == [0] * (PHOTOS_EACH - 1) + [1] * PHOTOS_EACH).all()
    assert shots.landmarks[2, 0, 0] == 4  # the third was not seen
    assert shots.truth.shape == (len(shots.owner), 468, 3)
    right = np.einsum("nij,nkj->nik", shots.rotations, shots.rotations)
    assert np.allclose(right, np.eye(3)) and len(np.unique(shots.rotations[:, 0, 0])) > 10


def test_neutral_photos_show_the_shape_itself(shots: Shots) -> None:
    neutral = shots.truth[8 - 1 :: 2].astype(np.float64)  # of the second person
    assert np.allclose(neutral, neutral[0])
    assert not np.allclose(shots.truth[8], neutral[0], atol=1e-4)  # with an expression
    head, _ = load_head()
    plain = shape_vertices(head, np.zeros(head.shape_dirs.shape[2]))[:468]
    assert 0.0005 < np.linalg.norm(neutral[0] - plain, axis=1).mean() < 0.02


def test_shots_are_read_as_they_were_written(shots: Shots, tmp_path: Path) -> None:
    np.savez(tmp_path / "shots.npz", **vars(shots))
    again = read_shots(tmp_path / "shots.npz")
    assert all(np.array_equal(getattr(again, name), part) for name, part in vars(shots).items())


def test_nobody_wears_a_texture_of_the_bench(data_dir: Path) -> None:
    bench = {photo.path.stem for photo in photos(data_dir, tiers="A")[:TEXTURES]}
    assert len(bench) == TEXTURES and not bench & set(WEARERS)
    assert len(photos(data_dir, WEARERS)) == len(WEARERS)


def test_a_shot_knows_its_turn() -> None:
    from rome_backend.bench.people import turned

    shot = Shot(90.0, 0.0, 0.0, np.zeros(1), 0.0, 0.0, (0, 0, 0))
    assert np.allclose(turned(shot) @ [0, 0, 1], [1, 0, 0])
