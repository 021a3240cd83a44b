# SPDX-License-Identifier: Apache-2.0
"""Rasterization and simple pictures of head meshes.

Does not know networks, photos or files.
"""
