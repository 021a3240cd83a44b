# SPDX-License-Identifier: Apache-2.0
"""Measures for how long Blender's window would stand still with an avatar's head in it.

Does not know Blender: blender_addon/measure_stops.py measures, in a Python with bpy.

    python tools/measure_stops.py AVATAR.rome
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from rome_backend.avatar.avatar import load_avatar
from rome_backend.avatar.heads import load_head
from rome_backend.core.rig_file import save_rig
from rome_backend.export.rig_arrays import rig_arrays

ROOT = Path(__file__).resolve().parents[1]


def measured(path: Path) -> str:
    """Return the measuring program's line of JSON; RuntimeError where it prints none."""
    avatar = load_avatar(path)
    model = load_head(str(avatar.provenance.get("head", "open")))
    with tempfile.TemporaryDirectory() as folder:
        rig = Path(folder) / "rig.safetensors"
        save_rig(rig_arrays(*model, avatar), rig)
        command = [sys.executable, "-m", "blender_addon.measure_stops", str(rig), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    # Its exit code says nothing: Blender as a module may crash when Python unloads it.
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(done.stderr[-2000:])
    return lines[-1]


def main(arguments: list[str]) -> int:
    """Measure and print."""
    sys.stdout.write(measured(Path(arguments[0]).resolve()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
