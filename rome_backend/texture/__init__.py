# SPDX-License-Identifier: Apache-2.0
"""From photos and posed meshes to one complete texture and its confidence.

Does not know how faces are found or fitted, nor avatars and files.
"""
