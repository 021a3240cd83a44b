# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing photos: from a script, by the file browser, by dropping, and the face in the first."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from blender_addon.photos import CHOICE


@pytest.fixture
def photos(tmp_path):
    for name in ("one.png", "two.jpg", "three.png"):
        Image.new("RGB", (32, 32)).save(tmp_path / name)
    return tmp_path


def _take():
    from blender_addon.operators.photos import take_faces

    return take_faces()


def test_several_photos_are_chosen_together(enabled, backend, photos):
    files = [{"name": "two.jpg"}, {"name": "one.png"}]
    enabled.ops.rome.add_photos(directory=str(photos), files=files)
    assert CHOICE.paths == [str(photos / "two.jpg"), str(photos / "one.png")]
    enabled.ops.rome.add_photos(filepath=str(photos / "three.png"), replace=False)
    assert len(CHOICE.paths) == 3
    enabled.ops.rome.add_photos(filepath=str(photos / "three.png"))
    assert CHOICE.paths == [str(photos / "three.png")]


def test_what_is_dropped_is_taken_without_a_browser(enabled, backend, photos):
    """Blender fills folder and files in and invokes the operator."""
    files = [{"name": "one.png"}]
    assert enabled.ops.rome.add_photos("INVOKE_DEFAULT", directory=str(photos), files=files) == {
        "FINISHED"
    }
    assert CHOICE.paths == [str(photos / "one.png")]


def test_drops_are_taken_on_viewports_only(enabled):
    from blender_addon.operators.photos import ROME_FH_photos

    for kind, wanted in (("VIEW_3D", True), ("IMAGE_EDITOR", False)):
        context = SimpleNamespace(area=SimpleNamespace(type=kind))
        assert ROME_FH_photos.poll_drop(context) is wanted
    assert not ROME_FH_photos.poll_drop(SimpleNamespace(area=None))
    assert ".jpg" in ROME_FH_photos.bl_file_extensions.split(";")


@pytest.mark.parametrize("name", ["missing.png", ""])
def test_a_file_that_is_not_there_is_told(enabled, backend, photos, name):
    with pytest.raises(RuntimeError, match="does not exist"):
        enabled.ops.rome.add_photos(filepath=str(photos / name) if name else "")
    assert not backend.sent


def test_a_file_that_is_no_photo_is_told(enabled, backend, photos):
    (photos / "text.txt").write_text("hello")
    with pytest.raises(RuntimeError, match="No photo was added"):
        enabled.ops.rome.add_photos(filepath=str(photos / "text.txt"))


def test_the_face_of_the_first_photo_is_looked_for_while_nobody_waits(enabled, backend, photos):
    backend.hold = True
    enabled.ops.rome.add_photos(filepath=str(photos / "one.png"))
    assert backend.sent[0].photo == str(photos / "one.png")
    assert _take() == pytest.approx(0.1) and CHOICE.picture is None
    backend.release()
    assert _take() is None
    assert np.array_equal(CHOICE.faces, backend.faces) and CHOICE.picture.shape == (64, 32, 3)
    assert not CHOICE.problem


def test_a_photo_without_a_face_is_told_before_one_waits(enabled, backend, photos):
    backend.faces = np.zeros((0, 4), np.float32)
    enabled.ops.rome.add_photos(filepath=str(photos / "one.png"))
    _take()
    assert "No face" in CHOICE.problem


def test_what_the_backend_refuses_is_told(enabled, backend, photos):
    backend.failure = ("photo_unreadable", "one.png cannot be read.", "Choose another.")
    enabled.ops.rome.add_photos(filepath=str(photos / "one.png"))
    assert _take() is None and CHOICE.problem == "one.png cannot be read."


def test_choosing_again_gives_up_the_first_look(enabled, backend, photos):
    backend.hold = True
    enabled.ops.rome.add_photos(filepath=str(photos / "one.png"))
    enabled.ops.rome.add_photos(filepath=str(photos / "two.jpg"))
    assert len(backend.cancelled) == 1 and backend.sent[-1].photo.endswith("two.jpg")


def test_removing_photos(enabled, backend, photos):
    files = [{"name": "one.png"}, {"name": "two.jpg"}]
    enabled.ops.rome.add_photos(directory=str(photos), files=files)
    assert enabled.ops.rome.remove_photo(index=5) == {"CANCELLED"}
    enabled.ops.rome.remove_photo(index=0)
    assert CHOICE.paths == [str(photos / "two.jpg")]
    assert backend.sent[-1].photo.endswith("two.jpg")
    enabled.ops.rome.remove_photo(index=0)
    with pytest.raises(RuntimeError, match="No photo is chosen"):
        enabled.ops.rome.remove_photo(index=0)


def test_a_saved_file_holds_no_path_of_a_photo(enabled, backend, photos):
    """A .blend is given away; where a person's photos lie is nobody's business."""
    enabled.ops.rome.add_photos(filepath=str(photos / "one.png"))
    _take()
    enabled.ops.rome.create_head()
    path = photos / "scene.blend"
    enabled.ops.wm.save_as_mainfile(filepath=str(path), compress=False)
    content = path.read_bytes()
    assert b"one.png" not in content
    assert content.count(str(photos).encode()) <= content.count(str(path).encode())


def test_disabling_the_add_on_forgets_the_photos(enabled, backend, photos):
    from blender_addon import registration

    enabled.ops.rome.add_photos(filepath=str(photos / "one.png"))
    registration.unregister_all()
    assert CHOICE.paths == []


def test_the_file_browser_asks_nothing_but_for_photos(enabled):
    properties = enabled.ops.rome.add_photos.get_rna_type().properties
    shown = {each.identifier for each in properties if not each.is_hidden} - {"rna_type"}
    assert shown == {"filepath"}
