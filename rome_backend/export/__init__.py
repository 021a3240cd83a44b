# SPDX-License-Identifier: Apache-2.0
"""Avatars as files for other programs: rig arrays, .blend, GLB and OBJ.

Does not know how an avatar was made, nor torch.
"""
