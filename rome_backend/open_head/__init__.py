# SPDX-License-Identifier: Apache-2.0
"""Generates the built-in head model in code.

Does not know torch, Blender, photos or avatars.
"""
