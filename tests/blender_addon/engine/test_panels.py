# SPDX-License-Identifier: GPL-3.0-or-later
"""The colour recipe in one click, and Blender's own panels opened and closed for the engine.

Does not test what is drawn.
"""

from __future__ import annotations

import pytest


def test_one_click_sets_the_whole_recipe(engine):
    from blender_addon.engine.panels import colours_are_exact

    scene = engine.context.scene
    scene.view_settings.exposure, scene.view_settings.use_curve_mapping = 0.5, True
    assert not colours_are_exact(scene)
    assert engine.ops.rome.use_render_engine() == {"FINISHED"}
    assert colours_are_exact(scene)
    assert scene.render.engine == "ROME" and scene.render.film_transparent
    layer = engine.context.view_layer
    assert layer.use_pass_z and layer.use_pass_uv and layer.use_pass_normal


@pytest.mark.parametrize("setting", ["exposure", "gamma", "look", "transform", "dither", "curves"])
def test_every_part_of_the_recipe_counts(engine, setting):
    from blender_addon.engine.panels import colours_are_exact

    engine.ops.rome.use_render_engine()
    scene = engine.context.scene
    view = scene.view_settings
    change = {
        "exposure": lambda: setattr(view, "exposure", 0.1),
        "gamma": lambda: setattr(view, "gamma", 1.1),
        "look": lambda: setattr(view, "look", "High Contrast"),
        "transform": lambda: setattr(view, "view_transform", "AgX"),
        "dither": lambda: setattr(scene.render, "dither_intensity", 1.0),
        "curves": lambda: setattr(view, "use_curve_mapping", True),
    }
    change[setting]()
    assert not colours_are_exact(scene)


def test_blenders_panels_are_opened_and_closed_again(empty_blender):
    from blender_addon.engine import panels

    def opened():
        every = empty_blender.types.Panel.__subclasses__()
        return {
            each.__name__
            for each in every
            if "ROME" in getattr(each, "COMPAT_ENGINES", ()) and "ROME_" not in each.__name__
        }

    assert not opened()
    panels.register()
    panels.register()
    during = opened()
    panels.unregister()
    assert {"RENDER_PT_output", "RENDER_PT_post_processing", "RENDER_PT_format"} <= during
    assert not opened()
