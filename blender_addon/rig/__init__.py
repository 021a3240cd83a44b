# SPDX-License-Identifier: GPL-3.0-or-later
"""The head in Blender: building it from arrays, reading it back and posing it.

Does not know the backend, files or panels.
"""
