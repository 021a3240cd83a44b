# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells the shared backend what a person chose in the preferences.

Does not know what the backend is asked for.
"""

from __future__ import annotations

import bpy

from .backend.client import choose, close_shared
from .backend.locate import Choice
from .folders import user_folder
from .preferences import preferences_of


def chosen_backend() -> Choice:
    """Return the choice of the preferences; the defaults where the add-on is not enabled."""
    return Choice(
        python=_python(),
        folder=user_folder(),
        interactive=not bpy.app.background,
    )


def _python() -> str:
    try:
        return bpy.path.abspath(preferences_of(bpy.context).python_path)
    except LookupError:
        return ""


def register() -> None:
    """Let the backend be found by the preferences."""
    choose(chosen_backend)


def unregister() -> None:
    """End the backend."""
    close_shared()
    choose(Choice)
