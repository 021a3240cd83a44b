# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts stored on an object come back as they went in, also through a saved file.

Does not know which facts a head has.
"""

from __future__ import annotations

import pytest

FACTS = {
    "text": "Ada\nKing",
    "tricky": "json:[1]",
    "number": 0.25,
    "count": 7,
    "huge": 2**40,
    "flag": True,
    "nothing": None,
    "floats": [0.5, -1.25, 3.0],
    "whole": [1, 2, 3],
    "empty": [],
    "names": ["jawOpen", "mouthPucker"],
    "nested": {"skin": "CC0-1.0", "more": {"a": [1.5, "b"]}},
}


@pytest.fixture
def thing(empty_blender):
    thing = empty_blender.data.objects.new("thing", None)
    empty_blender.context.scene.collection.objects.link(thing)
    return thing


def test_everything_json_can_say_comes_back(empty_blender, thing, tmp_path):
    from blender_addon.rig.properties import read_properties, write_properties

    thing["artist"] = "keeps this"
    write_properties(thing, FACTS)
    assert read_properties(thing) == FACTS
    path = tmp_path / "a.blend"
    empty_blender.ops.wm.save_as_mainfile(filepath=str(path))
    empty_blender.ops.wm.open_mainfile(filepath=str(path))
    assert read_properties(empty_blender.data.objects["thing"]) == FACTS


def test_writing_again_replaces(thing):
    from blender_addon.rig.properties import read_property, write_properties

    write_properties(thing, {"x": [1.0, 2.0], "y": "long text"})
    write_properties(thing, {"x": "now a text", "y": 1.5})
    assert read_property(thing, "x") == "now a text" and read_property(thing, "y") == 1.5


def test_an_absent_property_has_a_default(thing):
    from blender_addon.rig.properties import read_property

    assert read_property(thing, "origin", (0.0,)) == (0.0,)


def test_a_property_can_be_driven_by(thing):
    """Numbers are stored as Blender's own, not as text."""
    from blender_addon.rig.properties import write_properties

    write_properties(thing, {"number": 0.25, "floats": [0.5, 1.5]})
    assert thing["rome_number"] == 0.25 and thing.path_resolve('["rome_floats"]')[1] == 1.5
