# SPDX-License-Identifier: Apache-2.0
"""Files that are not code: where they are kept, checked and taken from.

Does not know what the files are used for.
"""
