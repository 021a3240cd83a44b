# SPDX-License-Identifier: GPL-3.0-or-later
"""ROME for Blender: the extension's package.

Importing it changes nothing in Blender and does not load torch.
"""


def register() -> None:
    """Make the add-on's classes known to Blender; called when it is enabled."""
    from .registration import register_all

    register_all()


def unregister() -> None:
    """Take back everything that register did; called when the add-on is disabled."""
    from .registration import unregister_all

    unregister_all()
