# SPDX-License-Identifier: Apache-2.0
"""From photos and clips to landmarks, mattes, crops and fitted faces.

Does not know avatars, textures or Blender.
"""
