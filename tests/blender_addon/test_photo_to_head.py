# SPDX-License-Identifier: GPL-3.0-or-later
"""From a real photo to a head through the real backend process, as a person's clicks do it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from blender_addon.photos import CHOICE
from blender_addon.rig.links import linked_part

PHOTO = "p01_astronaut_collins.png"
LIMIT = 120.0


@pytest.fixture(scope="session")
def photo(data_dir, tracker_models):
    """A real photo, where there are data and the tracker's models."""
    path = data_dir / "photos" / PHOTO
    if not path.is_file():
        pytest.skip(f"{PHOTO} is absent")
    return path


@pytest.fixture
def real(enabled, backend_python, monkeypatch):
    """The add-on with the real process, which ends with the test."""
    from blender_addon.backend.client import close_shared
    from blender_addon.jobs import STATE

    monkeypatch.setenv("ROME_BACKEND_PYTHON", backend_python)
    STATE.end()
    yield enabled
    close_shared()


def _wait_for_faces():
    from blender_addon.operators.photos import take_faces

    until = time.monotonic() + LIMIT
    while take_faces() is not None:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_photo_becomes_a_head_that_carries_itself(real, photo, tmp_path):
    from blender_addon.head.stored_avatar import stored_avatar
    from blender_addon.jobs import STATE

    real.ops.rome.add_photos(filepath=str(photo))
    _wait_for_faces()
    assert CHOICE.problem == "" and len(CHOICE.faces) == 1 and max(CHOICE.picture.shape) <= 512
    left, top, right, bottom = CHOICE.faces[0]
    assert 0 < left < right < CHOICE.size[0] and 0 < top < bottom < CHOICE.size[1]

    real.context.window_manager.rome.texture_size = "512"
    assert real.ops.rome.create_head() == {"FINISHED"}
    assert STATE.report is None
    head = real.context.view_layer.objects.active
    assert len(head.data.vertices) > 3000 and len(head.data.shape_keys.key_blocks) > 100
    assert 0.2 < head.dimensions.z < 0.6
    albedo = linked_part(head, "albedo")
    assert tuple(albedo.size) == (512, 512)
    pixels = np.empty(512 * 512 * 4, np.float32)
    albedo.pixels.foreach_get(pixels)
    assert pixels.reshape(-1, 4)[:, :3].std() > 0.05

    real.ops.rome.save_avatar(filepath=str(tmp_path / "out.rome"))
    content = (tmp_path / "out.rome").read_bytes()
    assert content == stored_avatar(head)
    real.ops.rome.remove_photo(index=0)
    before = [tuple(vertex.co) for vertex in head.data.vertices][::500]
    assert real.ops.rome.update_head() == {"FINISHED"}
    after = [tuple(vertex.co) for vertex in head.data.vertices][::500]
    assert np.allclose(before, after, atol=1e-5)
    assert real.ops.rome.mark_asset() == {"FINISHED"}


def test_a_file_that_is_no_photo_is_refused_in_words(real, photo, tmp_path):
    from blender_addon.jobs import STATE

    path = tmp_path / "noise.png"
    path.write_bytes(b"this is no picture")
    real.ops.rome.add_photos(filepath=str(path))
    _wait_for_faces()
    assert CHOICE.problem
    with pytest.raises(RuntimeError):
        real.ops.rome.create_head()
    assert STATE.report.code.startswith("photo_") and STATE.report.hint
    assert not real.data.objects
