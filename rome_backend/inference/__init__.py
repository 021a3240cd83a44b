# SPDX-License-Identifier: Apache-2.0
"""Running networks fast: the precision and layout that suit this machine.

Does not know which networks there are.
"""
