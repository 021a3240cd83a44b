# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells the shared backend what a person chose in the preferences.

Does not know what the backend is asked for.
"""

from __future__ import annotations

from dataclasses import replace

import bpy

from .backend.client import choose, close_shared
from .backend.locate import Choice
from .folders import user_folder
from .preferences import preferences_of


def chosen_backend() -> Choice:
    """Return the choice of the preferences; the defaults where the add-on is not enabled."""
    choice = Choice(folder=user_folder(), interactive=not bpy.app.background)
    try:
        chosen = preferences_of(bpy.context)
    except LookupError:
        return choice
    python = bpy.path.abspath(chosen.python_path)
    return replace(choice, python=python, device=chosen.device, log_level=chosen.log_level)


def register() -> None:
    """Let the backend be found by the preferences."""
    choose(chosen_backend)


def unregister() -> None:
    """End the backend."""
    close_shared()
    choose(Choice)
