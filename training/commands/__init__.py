# SPDX-License-Identifier: Apache-2.0
"""The commands of ``python -m training``: what they are given, what they run, what they say.

Does not know how anything is made or trained.
"""
