# SPDX-License-Identifier: Apache-2.0
"""The subcommands of `rome`, one module each.

Does not know how heads are made: each command calls the library and reports.
"""
