# SPDX-License-Identifier: GPL-3.0-or-later
"""The ROME render engine: Blender's evaluated heads and camera out, pixels and passes in.

Does not know how the backend draws them.
"""
