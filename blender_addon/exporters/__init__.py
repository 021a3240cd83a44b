# SPDX-License-Identifier: GPL-3.0-or-later
"""A head as a file for other programs, through Blender's own exporters.

Does not know the backend: a head is exported from what stands in the scene.
"""
