# SPDX-License-Identifier: GPL-3.0-or-later
"""ROME for Blender: the extension's package.

Importing it changes nothing in Blender and does not load torch.
"""
