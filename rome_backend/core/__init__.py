# SPDX-License-Identifier: Apache-2.0
"""The code that both processes run: types, head-model maths, cameras, files.

Does not know torch, bpy or anything beyond the standard library and numpy. Imports
inside are relative, because the extension carries this package as its own ``core``.
"""
