# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads in a scene: finding, receiving, posing and keeping them.

Does not know the backend's process or panels.
"""
