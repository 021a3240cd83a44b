# SPDX-License-Identifier: Apache-2.0
"""How near pictures of driven heads come to real ones, on clips.

Does not know how networks are trained.
"""
