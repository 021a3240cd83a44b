# SPDX-License-Identifier: Apache-2.0
"""The linear model of the paper: a basis of many people's offsets, and what predicts them.

Does not know how the offsets were found.
"""
