# SPDX-License-Identifier: Apache-2.0
"""Benches: measured quality and speed of the whole path.

Does not know how any of it works; it only calls and measures.
"""
