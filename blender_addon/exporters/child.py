# SPDX-License-Identifier: GPL-3.0-or-later
"""The program in another Blender that exports a head which was handed over to it.

Does not know who started it. Blender runs this file as a script, a Python with bpy as a program:

    blender --background --factory-startup --python child.py -- FOLDER
    python child.py FOLDER
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path


def main(folder: Path) -> int:
    """Export what lies in the folder and write what came of it beside it; 0 when all is well."""
    here = Path(__file__).resolve().parent
    package = here.parent
    sys.path[:] = [str(package.parent), *(each for each in sys.path if Path(each) != here)]
    errors = importlib.import_module(f"{package.name}.core_access")
    hand_over = importlib.import_module(f"{package.name}.exporters.hand_over")
    sys.stdout.write("rome: exporting\n")
    sys.stdout.flush()
    try:
        result = {"files": [str(file) for file in hand_over.take_over(folder)]}
    except errors.RomeError as error:
        result = {"error": [error.code, error.message, error.hint]}
    part = folder / "result.part"
    part.write_text(json.dumps(result), "utf-8")
    os.replace(part, folder / hand_over.RESULT)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[-1])))
