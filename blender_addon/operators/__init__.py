# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person can do: one operator per button, each one undo step.

Does not know how the buttons are laid out.
"""
