# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels draw, and that everything on them explains itself."""

from __future__ import annotations

from importlib import import_module, util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

MODULES = ("panel", "panel_head", "panel_output")
LONGEST = 140


@pytest.fixture
def draw(enabled, backend):
    """Draw all panels that are shown; return the labels, operators and properties on them."""
    spec = util.spec_from_file_location("fake_layout", Path(__file__).with_name("fake_layout.py"))
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def _draw(name=None, open_all=True, width=280):
        layout = module.FakeLayout(open_all=open_all)
        for panel in _panels():
            poll = getattr(panel, "poll", None)
            shown = poll is None or panel.poll(enabled.context)
            if shown and name in (None, panel.bl_idname):
                context = _Context(enabled.context, width)
                panel.draw(SimpleNamespace(layout=layout), context)
        return layout.found

    yield _draw


class _Context:
    """The real context with a region of some width."""

    def __init__(self, context, width):
        self._context, self.region = context, SimpleNamespace(width=width)

    def __getattr__(self, name):
        return getattr(self._context, name)


def _panels():
    found = []
    for name in MODULES:
        found += import_module(f"blender_addon.{name}").CLASSES
    return found


@pytest.fixture
def head(enabled, backend, rig):
    from blender_addon.rig.build import build_head

    return build_head(rig).mesh


def test_without_anything_there_are_two_buttons(draw):
    found = draw("ROME_PT_main")
    assert found["operators"] == ["rome.add_photos", "rome.create_head"]
    assert not found["icons"] and not found["labels"]


def test_the_pictures_room_is_kept_until_it_comes(draw, monkeypatch):
    from blender_addon.photos import CHOICE

    monkeypatch.setattr(CHOICE, "paths", ["/me.jpg"])
    monkeypatch.setattr(CHOICE, "problem", "")
    assert "Looking for the face" in draw("ROME_PT_main")["labels"]
    monkeypatch.setattr(CHOICE, "problem", "No face was found in the first photo.")
    assert "Looking for the face" not in draw("ROME_PT_main")["labels"]


def test_sections_about_a_head_need_a_head(draw):
    assert "rome.key_all" not in draw()["operators"]


def test_a_head_brings_its_sections(draw, head, rig):
    found = draw()
    wanted = {"rome.update_head", "rome.save_avatar", "rome.apply_preset", "rome.randomize"}
    wanted |= {"rome.mirror", "rome.reset", "rome.key_all", "rome.rebake", "rome.choose_avatar"}
    assert wanted <= set(found["operators"])
    assert {"neck_turn", "jaw_open", "eyes_side", "show_confidence"} <= set(found["props"])
    assert any("Head model" in label for label in found["labels"])
    assert any("rights" in label or "Apache" in label for label in found["labels"])


def test_the_identity_section_has_a_slider_per_key_and_refits_the_bones(draw, head, rig):
    found = draw("ROME_PT_identity")
    identity = [key for key in rig.keys if key.name.startswith("Shape")]
    assert found["props"].count("value") == len(identity) == 6
    assert "rome.refit_bones" in found["operators"]
    for key in identity:
        head.shape_key_remove(head.data.shape_keys.key_blocks[key.name])
    assert "rome.refit_bones" not in draw("ROME_PT_identity")["operators"]


def test_both_sides_share_a_slider_or_have_their_own(enabled, draw, head):
    settings = enabled.context.window_manager.rome
    settings.symmetric = True
    found = draw("ROME_PT_expression")
    assert found["props"].count("eyeBlink") == 1
    both = found["props"].count("value")
    settings.symmetric = False
    assert draw("ROME_PT_expression")["props"].count("value") > both


def test_closed_groups_draw_no_sliders(draw, head):
    assert "value" not in draw("ROME_PT_expression", open_all=False)["props"]


def test_hair_shows_the_first_or_all(enabled, draw, head, rig):
    from blender_addon.head.controls import offset_keys

    few = draw("ROME_PT_offsets")["props"].count("value")
    enabled.context.window_manager.rome.all_offsets = True
    assert few < draw("ROME_PT_offsets")["props"].count("value") == len(offset_keys(head))


def test_a_running_job_shows_progress_and_cancel(draw):
    from blender_addon.jobs import STATE

    STATE.begin("Creating the head")
    STATE.show("fit", 0.5, 3.0)
    found = draw("ROME_PT_main")
    assert "rome.create_head" not in found["operators"]  # it would only be grey
    assert "rome.cancel" in found["operators"] and "Fit  50%  3 s left" in found["labels"]
    STATE.end()


@pytest.mark.parametrize("width", [120, 280, 900])
def test_an_error_is_shown_whole_with_its_next_step(draw, width):
    from blender_addon.jobs import STATE
    from blender_addon.report import Report

    STATE.end(Report("no_face", "There is no face in this photo at all.", "Choose another one."))
    found = draw("ROME_PT_main", width=width)
    text = " ".join(found["labels"])
    assert "no face in this photo at all." in text and "Choose another one." in text
    assert {"rome.copy_report", "rome.dismiss_report"} <= set(found["operators"])
    assert max(map(len, found["labels"])) <= max(16, width / 6)
    STATE.end()


def test_photos_are_listed_by_name_only(enabled, draw, tmp_path):
    from blender_addon.photos import CHOICE

    CHOICE.add([str(tmp_path / "one.jpg"), str(tmp_path / "two.jpg")])
    CHOICE.faces = np.zeros((2, 4), np.float32)
    found = draw("ROME_PT_main")
    assert {"one.jpg", "two.jpg"} <= set(found["labels"])
    assert not any(str(tmp_path) in label for label in found["labels"])
    assert found["operators"].count("rome.remove_photo") == 2 and "face" in found["props"]


def test_the_sliders_of_both_sides_set_both_sides(enabled, backend, rig, curves_of):
    from dataclasses import replace

    from blender_addon.rig.build import build_head

    names = ("mouthSmileLeft", "mouthSmileRight")
    keys = tuple(replace(rig.keys[0], name=name) for name in names)
    others = tuple(key for key in rig.keys if key.name not in names)
    head = build_head(replace(rig, keys=(*keys, *others))).mesh
    blocks = head.data.shape_keys.key_blocks
    head.rome.mouthSmile = 0.6
    assert blocks[names[0]].value == blocks[names[1]].value == pytest.approx(0.6)
    blocks[names[0]].value, blocks[names[1]].value = 0.2, 0.4
    assert head.rome.mouthSmile == pytest.approx(0.4)
    enabled.context.scene.tool_settings.use_keyframe_insert_auto = True
    head.rome.mouthSmile = 0.9
    curves = curves_of(head.data.shape_keys.animation_data.action)
    assert {curve.data_path for curve in curves} == {
        f'key_blocks["{name}"].value' for name in names
    }


def test_the_pose_sliders_turn_the_bones(enabled, head):
    from blender_addon.head.controls import bone_angles

    head.rome.eyes_side, head.rome.neck_nod = 0.3, -0.2
    for joint in ("left_eye", "right_eye"):
        assert bone_angles(head, joint)[1] == pytest.approx(0.3, abs=1e-6)
    assert bone_angles(head, "neck")[0] == pytest.approx(-0.2, abs=1e-6)
    assert head.rome.neck_nod == pytest.approx(-0.2, abs=1e-6)


def test_sliders_of_an_object_that_is_no_head_do_nothing(enabled):
    plain = enabled.data.objects.new("plain", enabled.data.meshes.new("plain"))
    plain.rome.neck_nod, plain.rome.eyeBlink = 0.5, 0.5
    assert plain.rome.eyeBlink == 0.0 and plain.rome.neck_nod == 0.0


def _explained(text, where):
    assert text and len(text) <= LONGEST, where
    assert not text.endswith("."), where
    assert text[0].isupper(), where


def test_every_operator_and_property_explains_itself(enabled):
    """Tooltips: at most 140 letters, without the full stop that Blender adds."""
    operators = [name for name in dir(enabled.ops.rome) if not name.startswith("_")]
    assert len(operators) >= 12
    for name in operators:
        rna = getattr(enabled.ops.rome, name).get_rna_type()
        _explained(rna.description, name)
        for prop in rna.properties:
            if prop.identifier != "rna_type":
                _explained(prop.description, f"{name}.{prop.identifier}")
                for item in getattr(prop, "enum_items", ()):
                    _explained(item.description, f"{name}.{prop.identifier}.{item.identifier}")


def test_every_setting_and_slider_explains_itself(enabled):
    head = enabled.data.objects.new("plain", None).rome
    scene = enabled.context.scene.rome
    for group in (enabled.context.window_manager.rome, head, scene):
        for prop in group.bl_rna.properties:
            if prop.identifier not in ("rna_type", "name"):
                _explained(prop.description, prop.identifier)


def test_our_engine_brings_the_choice_of_what_draws(enabled, draw, head):
    scene = enabled.context.scene
    assert "renderer" not in draw("ROME_PT_render")["props"]
    scene.render.engine = "ROME"
    found = draw("ROME_PT_render", width=2000)
    assert "renderer" in found["props"] and "picture_side" not in found["props"]
    assert any(label.startswith("No head here has a neural texture") for label in found["labels"])
    scene.rome.renderer = "ROME"
    assert "picture_side" in draw("ROME_PT_render")["props"]
    scene.rome.renderer = "TEXTURED"
    found = draw("ROME_PT_render")
    assert "picture_side" not in found["props"] and not found["labels"][1:]


def test_options_that_do_not_fit_each_other_say_so(enabled, draw):
    settings = enabled.context.window_manager.rome
    found = draw("ROME_PT_options", width=2000)
    assert {"tracker", "networks", "neural_size", "face_tightness"} <= set(found["props"])
    assert not any("flame" in label for label in found["labels"])
    settings.head_model, settings.networks = "open", "official"
    assert any("flame" in label for label in draw("ROME_PT_options", width=2000)["labels"])


@pytest.mark.parametrize(
    ("networks", "head_model", "matters"),
    [("auto", "auto", True), ("official", "flame", True), ("auto", "open", False),
     ("open", "flame", False), ("linear", "auto", False)],
)  # fmt: skip
def test_neural_settings_are_off_where_they_do_not_matter(enabled, networks, head_model, matters):
    from blender_addon.properties import makes_neural_texture, settings_of

    settings = settings_of(enabled.context)
    settings.networks, settings.head_model = networks, head_model
    assert makes_neural_texture(settings) == matters
