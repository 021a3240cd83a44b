# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the add-on keeps its own files: the private environment and the logs.

Does not know what lies there.
"""

from __future__ import annotations

import os
from pathlib import Path

import bpy

from .backend.environment import place


def user_folder() -> Path | None:
    """Return the installed extension's folder for its own files; None in a checkout.

    It is not created here. On Windows it is a short one, see environment.place.
    """
    try:
        wanted = Path(bpy.utils.extension_path_user(__package__ or ""))
    except ValueError:
        return None
    return place(wanted, os.environ.get("LOCALAPPDATA", ""), os.name == "nt")
