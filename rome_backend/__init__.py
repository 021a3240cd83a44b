# SPDX-License-Identifier: Apache-2.0
"""The backend of ROME for Blender: one photo becomes a rigged, textured head.

Does not know Blender: nothing in this package imports bpy.
"""

__version__ = "0.1.0"
