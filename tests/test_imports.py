# SPDX-License-Identifier: Apache-2.0
"""Tests the import table of docs/architecture.md on the syntax tree of every file.

Does not run the files: imports inside functions, under TYPE_CHECKING and through
importlib.import_module("...") count like those at the top.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

BLENDER = frozenset({"bpy", "bmesh", "mathutils", "gpu", "gpu_extras", "bpy_extras", "addon_utils"})
HEAVY = frozenset({"torch", "torchvision", "pytorch3d"})
ANY = frozenset({"*"})


@dataclass(frozen=True)
class Rule:
    """What one package may import beside itself and the standard library.

    ours: packages of this project; packages: foreign top-level packages ("*": all but
    ``never``); never: foreign packages that "*" does not cover.
    """

    ours: tuple[str, ...]
    packages: frozenset[str]
    never: frozenset[str] = BLENDER


_CORE, _HEAD = "rome_backend.core", "rome_backend.open_head"
_ASSETS, _RENDER = "rome_backend.assets", "rome_backend.render"
_WORK = tuple(
    f"rome_backend.{name}" for name in ("models", "inference", "render", "tracking", "texture")
)
_ALL = ("rome_backend",)
_BACKEND = (
    _CORE, _HEAD, _ASSETS, *_WORK,
    "rome_backend.avatar", "rome_backend.export", "rome_backend.measure",
)  # fmt: skip

# The longest name that fits a module is its rule. Change it together with the table of the page.
RULES: dict[str, Rule] = {
    "rome_backend": Rule((), frozenset()),  # its __init__ alone: everybody imports it
    "rome_backend.core": Rule((), frozenset({"numpy"})),
    "rome_backend.open_head": Rule((_CORE,), frozenset({"numpy", "scipy"})),
    "rome_backend.models": Rule((), frozenset({"torch"})),
    "rome_backend.inference": Rule(
        (_CORE, "rome_backend.models"), frozenset({"torch", "numpy", "openvino", "nncf"})
    ),
    "rome_backend.assets": Rule((_CORE, _HEAD), ANY, BLENDER | HEAVY),
    "rome_backend.render": Rule((_CORE,), frozenset({"torch", "numpy"})),
    "rome_backend.render.with_pytorch3d": Rule((_CORE, _RENDER), frozenset({"torch", "pytorch3d"})),
    "rome_backend.tracking": Rule((_CORE, _HEAD, _ASSETS, _RENDER), ANY),
    "rome_backend.texture": Rule((_CORE, _HEAD, _ASSETS, _RENDER), ANY),
    "rome_backend.avatar": Rule((_CORE, _HEAD, _ASSETS, *_WORK), ANY),
    "rome_backend.export": Rule((_CORE, _HEAD, _ASSETS, "rome_backend.avatar"), ANY),
    "rome_backend.measure": Rule(
        (_CORE, _RENDER, "rome_backend.tracking"), frozenset({"numpy", "scipy"})
    ),
    "rome_backend.bench": Rule(_ALL, ANY),
    "rome_backend.commands": Rule(_ALL, ANY),
    "rome_backend.cli": Rule(_ALL, ANY),
    "rome_backend.__main__": Rule(_ALL, ANY),
    "rome_backend.server": Rule(_ALL, ANY),
    "training": Rule((*_BACKEND, "rome_backend.commands.console"), ANY),
    "blender_addon": Rule((_CORE,), BLENDER | {"numpy"}),
    "blender_addon.backend": Rule((_CORE, "blender_addon.core_access"), frozenset()),
    "dev": Rule((), frozenset()),
    "build_addon": Rule((), frozenset()),
    "tools": Rule(_ALL, ANY),
    "tools.real_blender_inside.observer": Rule((), BLENDER),
}
OURS = frozenset(name.split(".")[0] for name in RULES)


def _module(path: str) -> tuple[str, str]:
    """Return a file's dotted name and the package that its relative imports start from."""
    parts = path.removesuffix(".py").split("/")
    if parts[-1] == "__init__":
        return ".".join(parts[:-1]), ".".join(parts[:-1])
    return ".".join(parts), ".".join(parts[:-1])


def _imports(tree: ast.AST, package: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the full dotted name of everything imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = ".".join(parents if node.level else []) or ""
            module = ".".join(part for part in (base, node.module) if part)
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            name = getattr(node.args[0], "value", None)
            if called in {"import_module", "__import__"} and isinstance(name, str):
                yield node.lineno, name
        elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "rome_backend":
            yield node.lineno, f"rome_backend.{node.attr}"  # what "import rome_backend" reaches


def _rule(module: str) -> tuple[str, Rule]:
    fitting = [name for name in RULES if _inside(module, (name,))]
    name = max(fitting, key=len)
    return name, RULES[name]


def _inside(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(name + ".") for name in packages)


def _allowed(module: str, target: str) -> bool:
    name, rule = _rule(module)
    top = target.split(".")[0]
    if top in OURS:
        if name == "rome_backend":
            return False  # its __init__, or a package that the table does not name
        itself = target == "rome_backend" or target.startswith("rome_backend.__")
        about_itself = itself and module.startswith("rome_backend.")
        # An add-on's sub-package is part of the add-on, and backend/ must not reach out of itself.
        own = "blender_addon" if name == "blender_addon" else name
        return about_itself or _inside(target, (*rule.ours, own))
    if top in sys.stdlib_module_names or top == "__future__":
        return True
    return top in rule.packages or (rule.packages == ANY and top not in rule.never)


def violations(texts: dict[str, str]) -> list[str]:
    """Return ``path:line imports name`` for every import that the table forbids."""
    found = []
    for path, text in texts.items():
        module, package = _module(path)
        for line, target in _imports(ast.parse(text), package):
            if not _allowed(module, target):
                found.append(f"{path}:{line} imports {target}")
    return found


def test_the_project_keeps_the_table(source_texts: dict[str, str]) -> None:
    assert any(path.startswith("rome_backend/core/") for path in source_texts)
    assert violations(source_texts) == []


def test_every_package_is_in_the_table(source_texts: dict[str, str]) -> None:
    packages = {_module(path)[0].split(".")[1] for path in source_texts if path.count("/") > 1}
    folders = {path.split("/")[1] for path in source_texts if path.startswith("rome_backend/")}
    named = {name.split(".")[1] for name in RULES if "." in name}
    unknown = {folder for folder in folders if not folder.endswith(".py")} - named
    assert packages and not unknown, f"docs/architecture.md does not say what {unknown} may import"


def test_the_page_has_the_same_packages(root: Path) -> None:
    page = (root / "docs" / "architecture.md").read_text("utf-8")
    table = page.split("## Who may import whom")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name.removesuffix(".py") for row in rows for name in re.findall(r"`([\w./]+)`", row)}
    assert named == {name.replace(".backend", "/backend") for name in RULES}


FORBIDDEN = [
    ("rome_backend/core/a.py", "import torch"),
    ("rome_backend/core/a.py", "import bpy"),
    ("rome_backend/core/a.py", "import scipy.sparse"),
    ("rome_backend/core/a.py", "def f():\n    import torch"),
    ("rome_backend/core/a.py", "import importlib\nimportlib.import_module('torch')"),
    (
        "rome_backend/core/a.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import cv2",
    ),
    ("rome_backend/core/a.py", "from rome_backend.render.shading import picture"),
    ("rome_backend/core/a.py", "from rome_backend import avatar"),
    ("rome_backend/core/a.py", "import rome_backend\nrome_backend.avatar.create.f()"),
    ("rome_backend/core/deep/a.py", "from ...avatar import create"),
    ("rome_backend/__init__.py", "import numpy"),
    ("rome_backend/__init__.py", "from rome_backend.core import types"),
    ("rome_backend/open_head/a.py", "import torch"),
    ("rome_backend/open_head/a.py", "from rome_backend.assets.store import cache_dir"),
    ("rome_backend/models/a.py", "from rome_backend.core.types import Camera"),
    ("rome_backend/models/a.py", "import numpy"),
    ("rome_backend/assets/a.py", "import torch"),
    ("rome_backend/assets/a.py", "from rome_backend.tracking import fit"),
    ("rome_backend/render/a.py", "from rome_backend.tracking.fit import FaceFitter"),
    ("rome_backend/render/a.py", "import pytorch3d.renderer"),
    ("rome_backend/tracking/a.py", "from rome_backend.avatar.create import create_avatar"),
    ("rome_backend/texture/a.py", "import rome_backend.server.jobs"),
    ("rome_backend/texture/a.py", "from rome_backend.tracking.fit import FaceFitter"),
    ("rome_backend/avatar/a.py", "from rome_backend.server import jobs"),
    ("rome_backend/avatar/a.py", "from rome_backend.export.glb import write_glb"),
    ("rome_backend/export/a.py", "import bpy"),
    ("rome_backend/export/a.py", "from blender_addon.rig.build import build"),
    ("rome_backend/export/a.py", "from rome_backend.tracking.fit import FaceFitter"),
    ("rome_backend/cli.py", "from training.trainer import train"),
    ("rome_backend/server/a.py", "import bpy"),
    ("rome_backend/unheard_of/a.py", "from rome_backend.core.types import Camera"),
    ("training/a.py", "from rome_backend.server import jobs"),
    ("training/a.py", "from rome_backend.commands import create"),
    ("training/data/a.py", "import bpy"),
    ("training/a.py", "import blender_addon"),
    ("blender_addon/a.py", "import torch"),
    ("blender_addon/a.py", "from rome_backend.avatar.avatar import load_avatar"),
    ("blender_addon/rig/a.py", "from ...rome_backend.export import glb"),
    ("blender_addon/rig/a.py", "import scipy"),
    ("blender_addon/backend/a.py", "import bpy"),
    ("blender_addon/backend/a.py", "from ..rig import build"),
    ("dev.py", "import numpy"),
    ("dev.py", "import rome_backend"),
    ("build_addon.py", "from rome_backend.core import types"),
]
ALLOWED = [
    ("rome_backend/core/a.py", "import numpy as np\nimport json\nfrom . import types"),
    ("rome_backend/core/a.py", "from rome_backend import __version__"),
    ("rome_backend/core/a.py", "import rome_backend\nprint(rome_backend.__version__)"),
    ("rome_backend/open_head/a.py", "import scipy.sparse\nfrom rome_backend.core import types"),
    ("rome_backend/render/a.py", "import torch\nfrom rome_backend.render import texture"),
    ("rome_backend/render/with_pytorch3d.py", "import pytorch3d.renderer"),
    ("rome_backend/tracking/a.py", "import cv2, torch\nfrom rome_backend.assets import store"),
    ("rome_backend/avatar/a.py", "from rome_backend.texture.bake import bake"),
    ("rome_backend/export/a.py", "from rome_backend.avatar.avatar import load_avatar"),
    ("rome_backend/bench/a.py", "from rome_backend.commands import create"),
    ("rome_backend/cli.py", "import rome_backend.server.serve"),
    ("training/a.py", "import torch\nfrom rome_backend.models import unet"),
    ("blender_addon/rig/a.py", "import bpy, numpy\nfrom ..core_access import types"),
    ("blender_addon/a.py", "from rome_backend.core.types import RigArrays"),
    ("blender_addon/backend/a.py", "from rome_backend.core import errors\nfrom . import client"),
    ("blender_addon/backend/a.py", "from ..core_access import RomeError"),
    ("dev.py", "import subprocess"),
]


@pytest.mark.parametrize(("path", "text"), FORBIDDEN, ids=range(len(FORBIDDEN)))
def test_planted_violations_are_found(path: str, text: str) -> None:
    assert len(violations({path: text})) == 1


@pytest.mark.parametrize(("path", "text"), ALLOWED, ids=range(len(ALLOWED)))
def test_what_the_table_allows_passes(path: str, text: str) -> None:
    assert violations({path: text}) == []


def test_a_violation_names_its_place() -> None:
    text = '"""A."""\n\nimport torch\n'
    assert violations({"rome_backend/core/a.py": text}) == [
        "rome_backend/core/a.py:3 imports torch"
    ]
