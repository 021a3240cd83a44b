# SPDX-License-Identifier: GPL-3.0-or-later
"""The text file beside an exported head: what it is made of and under which licences.

Does not know file formats. It names no photo and no folder.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import bpy

from ..rig.properties import read_property

KIND = "rome export"
VERSION = 1
SUFFIX = ".rome.json"
_FACTS = ("head_model", "topology_id", "licences", "provenance", "warnings")


def write_sidecar(
    head: bpy.types.Object, main: Path, files: Sequence[Path], choice: dict[str, str]
) -> Path:
    """Write the facts of an export beside its main file and return their file.

    files: everything that belongs to the export; choice: what was asked for, by name.
    """
    facts = {
        "kind": KIND,
        "version": VERSION,
        "file": main.name,
        "files": [file.name for file in files],
        "head": head.name,
        "made_with": f"ROME for Blender {read_property(head, 'version', 'unknown')}",
        "exported_with": f"Blender {bpy.app.version_string}",
        "export": choice,
    }
    facts |= {name: read_property(head, name) for name in _FACTS}
    path = main.with_name(main.name + SUFFIX)
    path.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
