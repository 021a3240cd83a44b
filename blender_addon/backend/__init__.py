# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend as the add-on sees it: its private environment, its process, its messages.

Does not know bpy: everything here runs and is tested in any Python.
"""
