# SPDX-License-Identifier: GPL-3.0-or-later
"""A layout that draws nothing: it checks that everything a panel draws exists, and remembers it.

Does not know which panels there are.
"""

from __future__ import annotations

from types import SimpleNamespace

import bpy


class FakeLayout:
    """Stands in for bpy.types.UILayout, which exists only while a window draws.

    open_all: whether collapsible groups are open.
    """

    def __init__(self, found=None, open_all=True):
        self.found = {"labels": [], "operators": [], "props": [], "icons": 0}
        if found is not None:
            self.found = found
        self.open_all = open_all

    def column(self, **options):
        _check("column", options)
        return FakeLayout(self.found, self.open_all)

    def row(self, **options):
        _check("row", options)
        return FakeLayout(self.found, self.open_all)

    def box(self):
        return FakeLayout(self.found, self.open_all)

    def separator(self, **options):
        _check("separator", options)

    def panel(self, idname, default_closed=False):
        return self.row(), (self.column() if self.open_all else None)

    def label(self, **options):
        _check("label", options)
        self.found["labels"].append(options.get("text", ""))

    def progress(self, **options):
        _check("progress", options)
        self.found["labels"].append(options.get("text", ""))

    def template_icon(self, **options):
        _check("template_icon", options)
        self.found["icons"] += 1

    def prop(self, data, name, **options):
        _check("prop", options)
        getattr(data, name)
        self.found["props"].append(name)

    def operator(self, name, **options):
        _check("operator", options)
        self.found["operators"].append(name)
        return _properties(name)

    def operator_menu_enum(self, name, enum, **options):
        _check("operator_menu_enum", options)
        assert getattr(_rna(name).properties[enum], "enum_items", None)
        self.found["operators"].append(name)


def _check(function, options):
    known = bpy.types.UILayout.bl_rna.functions[function].parameters.keys()
    strangers = set(options) - set(known)
    assert not strangers, f"{function} has no {strangers}"
    icon = options.get("icon")
    if icon:
        icons = bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items
        assert icon in icons, f"there is no icon {icon}"


def _rna(name):
    module, _, function = name.partition(".")
    operator = getattr(getattr(bpy.ops, module), function)
    return operator.get_rna_type()


def _properties(name):
    """Return something that takes exactly the operator's properties."""
    rna = _rna(name)

    class Properties(SimpleNamespace):
        def __setattr__(self, key, value):
            assert key in rna.properties, f"{name} has no {key}"
            super().__setattr__(key, value)

    return Properties()
