# SPDX-License-Identifier: Apache-2.0
"""The measured shape: it belongs to this topology, is symmetric and has a head's proportions.

Does not know how it was measured.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rome_backend.core.errors import FileInvalid
from rome_backend.core.normals import vertex_normals
from rome_backend.open_head.mean_face import mean_face
from rome_backend.open_head.sculpture import FILE, half_of, measured, sculpted, topology_hash
from rome_backend.open_head.surface import Skin, plain_skin


@pytest.fixture(scope="module")
def plain() -> Skin:
    return plain_skin()


def test_file_names_its_source() -> None:
    with np.load(FILE) as data:
        assert "MIT" in str(data["source"]) and "ICT-FaceKit" in str(data["source"])
        assert "(c) 2020 USC" in str(data["source"])


def test_measured_is_symmetric(plain: Skin) -> None:
    shape = measured(plain.faces, plain.mirror)
    np.testing.assert_array_equal(shape[plain.mirror] * (-1, 1, 1), shape)
    assert shape.shape == plain.vertices.shape


def test_half_and_mirror_make_the_whole(plain: Skin) -> None:
    half = half_of(plain.mirror)
    both = np.unique(np.r_[half, plain.mirror[half]])
    np.testing.assert_array_equal(both, np.arange(len(plain.mirror)))


def test_another_topology_is_refused(plain: Skin, tmp_path: Path) -> None:
    with pytest.raises(FileInvalid) as found:
        measured(plain.faces[:, [1, 2, 0]], plain.mirror)
    assert found.value.code == "sculpture_outdated"
    with np.load(FILE) as data:
        cut = tmp_path / "cut.npz"
        np.savez(cut, positions=data["positions"][1:], topology=data["topology"])
    with pytest.raises(FileInvalid):
        measured(plain.faces, plain.mirror, cut)
    assert topology_hash(plain.faces) != topology_hash(plain.faces[::-1])


def test_average_is_not_the_measured_head(plain: Skin) -> None:
    """The face has the proportions of the photos' mean, seen from the front."""
    shape = measured(plain.faces, plain.mirror)[:468, :2]
    own = sculpted(plain.vertices, plain.faces, plain.mirror)[:468, :2]
    mean = mean_face()[:468, :2]
    assert np.linalg.norm(own - mean, axis=1).mean() < 0.0005
    assert np.linalg.norm(own - shape, axis=1).mean() > 0.001


def test_proportions_of_art_anatomy(skin: Skin) -> None:
    y = skin.vertices[:, 1]
    crown = skin.vertices[skin.cranium[:30, 0], 1].max()
    chin = y[152]
    assert 0.45 < -chin / (crown - chin) < 0.55  # the eyes lie half-way
    ear = skin.vertices[np.concatenate(skin.ear[4:7])]
    assert y[2] - 0.016 < ear[:, 1].min() < y[2] + 0.005  # the ears end at the nose's base
    assert abs(ear[:, 1].max() - y[[334, 105]].mean()) < 0.022  # and begin near the brows
    back = skin.vertices[skin.cranium[:33, 0]]
    occiput = back[back[:, 2].argmin()]
    assert occiput[2] < ear[:, 2].min() - 0.05
    widest = skin.vertices[skin.both(skin.cranium[:25].ravel())]
    widest = widest[widest[:, 0].argmax()]
    assert widest[1] > ear[:, 1].mean() and 0.07 < widest[0] < 0.085


def test_ear_leans_back_and_stands_out(skin: Skin) -> None:
    rim = skin.vertices[skin.ear[5]]
    top, bottom = rim[rim[:, 1].argmax()], rim[rim[:, 1].argmin()]
    lean = np.degrees(np.arctan2(bottom[2] - top[2], top[1] - bottom[1]))
    assert 5 < lean < 35
    back, front = rim[rim[:, 2].argmin()], rim[rim[:, 2].argmax()]
    stand = np.degrees(np.arctan2(back[0] - front[0], front[2] - back[2]))
    assert 12 < stand < 45


def test_neck_leans_forward(skin: Skin) -> None:
    """The middle of the neck moves forward from the collar to the jaw."""

    def middle(height: float) -> float:
        ring = skin.vertices[np.abs(skin.vertices[:, 1] - height) < 0.006]
        ring = ring[(np.abs(ring[:, 0]) < 0.02) & (ring[:, 2] < 0)]
        return float((ring[:, 2].min() + ring[:, 2].max()) / 2)

    lean = np.degrees(np.arctan2(middle(-0.135) - middle(-0.165), 0.03))
    assert 10 < lean < 40


def test_outer_skin_is_not_folded(skin: Skin) -> None:
    """No triangle of head, neck and shoulders looks away from its neighbourhood."""
    normals = vertex_normals(skin.vertices, skin.faces)
    a, b, c = (skin.vertices[skin.faces[:, k]] for k in range(3))
    own = np.cross(b - a, c - a)
    agree = np.einsum("fc,fc->f", own, normals[skin.faces].mean(axis=1))
    outer = np.isin(skin.faces, skin.both(skin.cranium[1:].ravel())).all(axis=1)
    assert (agree[outer] > 0).mean() > 0.998
