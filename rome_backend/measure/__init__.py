# SPDX-License-Identifier: Apache-2.0
"""How far head meshes are from true ones.

Does not know how heads are made.
"""
