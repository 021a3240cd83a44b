# SPDX-License-Identifier: Apache-2.0
"""Training: data, losses and the loop that make the networks' weights.

Does not know Blender, and nothing in rome_backend knows it.
"""
