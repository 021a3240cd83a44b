# SPDX-License-Identifier: Apache-2.0
"""Avatars: made from photos, kept in one file, posed and pictured.

Does not know the command line, a server, or Blender.
"""
