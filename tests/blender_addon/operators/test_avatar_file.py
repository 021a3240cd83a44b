# SPDX-License-Identifier: GPL-3.0-or-later
"""Saving and loading avatars, and making a head again without losing an artist's work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from blender_addon.head.stored_avatar import has_avatar, stored_avatar


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "ada.png"
    Image.new("RGB", (64, 64)).save(path)
    return str(path)


@pytest.fixture
def head(enabled, backend, photo):
    enabled.ops.rome.add_photos(filepath=photo)
    enabled.ops.rome.create_head()
    backend.sent.clear()
    return enabled.context.view_layer.objects.active


def test_the_saved_file_is_the_avatar(enabled, backend, head, tmp_path):
    assert enabled.ops.rome.save_avatar(filepath=str(tmp_path / "out")) == {"FINISHED"}
    assert (tmp_path / "out.rome").read_bytes() == backend.avatar
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ada.png", "out.rome"]


def test_a_folder_that_is_not_there_is_told(enabled, head, tmp_path):
    with pytest.raises(RuntimeError, match="folder|written"):
        enabled.ops.rome.save_avatar(filepath=str(tmp_path / "none" / "out.rome"))


def test_a_damaged_avatar_is_told(enabled, head, tmp_path):
    text = head.data["rome_avatar"]
    head.data["rome_avatar"] = text[: len(text) // 2]
    with pytest.raises(RuntimeError, match="damaged"):
        enabled.ops.rome.save_avatar(filepath=str(tmp_path / "out.rome"))
    assert not (tmp_path / "out.rome").exists()


def test_without_an_avatar_the_button_says_why(enabled, head):
    del head.data["rome_avatar"]
    with pytest.raises(RuntimeError, match="carries no avatar"):
        enabled.ops.rome.save_avatar(filepath="x")


def test_without_a_head_the_buttons_say_why(enabled, backend):
    for operator in (enabled.ops.rome.save_avatar, enabled.ops.rome.update_head):
        with pytest.raises(RuntimeError, match="Select a head first"):
            operator()


def test_a_saved_avatar_becomes_a_head_again(enabled, backend, head, tmp_path):
    path = tmp_path / "out.rome"
    enabled.ops.rome.save_avatar(filepath=str(path))
    assert enabled.ops.rome.load_avatar(filepath=str(path)) == {"FINISHED"}
    assert backend.sent[0].data.tobytes() == backend.avatar
    second = enabled.context.view_layer.objects.active
    assert second != head and stored_avatar(second) == backend.avatar
    assert second.data["rome_avatar_id"] == head.data["rome_avatar_id"]


def test_the_file_browser_starts_the_same_job(enabled, backend, head, tmp_path):
    path = tmp_path / "out.rome"
    enabled.ops.rome.save_avatar(filepath=str(path))
    assert enabled.ops.rome.choose_avatar(filepath=str(path)) == {"FINISHED"}
    assert len([thing for thing in enabled.data.objects if thing.type == "MESH"]) == 2


@pytest.mark.parametrize("name", ["missing.rome", "."])
def test_a_file_that_cannot_be_read_is_told(enabled, backend, tmp_path, name):
    with pytest.raises(RuntimeError, match="cannot be read.*Choose another file"):
        enabled.ops.rome.load_avatar(filepath=str(tmp_path / name))
    assert not backend.sent


def _other(rig):
    return replace(rig, vertices=(rig.vertices * np.float32(1.2)).astype(np.float32))


def test_another_photo_changes_the_person_and_keeps_the_artist_s_work(enabled, backend, head):
    from blender_addon.jobs import STATE

    head.shape_key_add(name="scar", from_mix=False).value = 0.5
    head.data.shape_keys.key_blocks["jawOpen"].keyframe_insert("value", frame=3)
    action = head.data.shape_keys.animation_data.action
    width = head.dimensions.x
    counts = len(enabled.data.objects), len(enabled.data.images), len(enabled.data.materials)
    backend.rig, backend.avatar = _other(backend.rig), b"another avatar"
    assert enabled.ops.rome.update_head() == {"FINISHED"}
    enabled.context.view_layer.update()
    assert head.dimensions.x == pytest.approx(1.2 * width, rel=0.1) != width
    assert head.data.shape_keys.key_blocks["scar"].value == 0.5
    assert head.data.shape_keys.animation_data.action == action
    assert stored_avatar(head) == b"another avatar"
    assert "Kept your key scar." in STATE.notes
    assert counts == (
        len(enabled.data.objects), len(enabled.data.images), len(enabled.data.materials)
    )  # fmt: skip
    assert type(backend.sent[0]).__name__ == "CreateAvatar"


def test_without_a_photo_it_is_made_of_its_own_avatar(enabled, backend, head):
    """Newer weights need no photo: the avatar holds what they start from."""
    enabled.ops.rome.remove_photo(index=0)
    assert enabled.ops.rome.update_head() == {"FINISHED"}
    assert type(backend.sent[0]).__name__ == "LoadAvatar"
    assert backend.sent[0].data.tobytes() == backend.avatar


def test_without_photo_and_avatar_the_button_says_why(enabled, backend, head):
    enabled.ops.rome.remove_photo(index=0)
    del head.data["rome_avatar"]
    with pytest.raises(RuntimeError, match="carries no avatar"):
        enabled.ops.rome.update_head()


def test_a_head_that_was_remodelled_is_refused_unchanged(enabled, backend, head):
    before = stored_avatar(head)
    backend.rig = replace(backend.rig, properties={**backend.rig.properties, "topology_id": "x"})
    with pytest.raises(RuntimeError, match="same points.*beside"):
        enabled.ops.rome.update_head()
    assert stored_avatar(head) == before


def test_undo_takes_an_update_back(enabled, backend, head):
    name = head.name
    enabled.ops.ed.undo_push(message="before")
    before = [tuple(vertex.co) for vertex in head.data.vertices][:5]
    backend.rig, backend.avatar = _other(backend.rig), b"another avatar"
    enabled.ops.rome.update_head()
    enabled.ops.ed.undo_push(message="Re-run")
    enabled.ops.ed.undo()
    head = enabled.data.objects[name]
    assert [tuple(vertex.co) for vertex in head.data.vertices][:5] == before
    assert stored_avatar(head) != b"another avatar"


def test_the_avatar_outlives_the_file_and_other_files(enabled, backend, head, tmp_path):
    path, content = tmp_path / "ada.blend", backend.avatar
    enabled.ops.wm.save_as_mainfile(filepath=str(path))
    enabled.ops.wm.open_mainfile(filepath=str(path))
    assert stored_avatar(enabled.data.objects["Ada"]) == content
    enabled.ops.wm.read_factory_settings(use_empty=True)
    with enabled.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.collections = ["Ada"]
    linked = enabled.data.objects["Ada"]
    enabled.context.scene.collection.children.link(wanted.collections[0])
    enabled.context.view_layer.objects.active = linked
    assert has_avatar(linked) and stored_avatar(linked) == content
    with pytest.raises(RuntimeError, match="linked from another file"):
        enabled.ops.rome.update_head()
    with pytest.raises(RuntimeError, match="linked from another file"):
        enabled.ops.rome.key_all()
