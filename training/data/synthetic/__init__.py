# SPDX-License-Identifier: Apache-2.0
"""Invented people on a head model, photographed twice, with all that is true of the pictures.

Does not know shards or training. Our own throughout: no photo or scan of a person goes in.
"""
