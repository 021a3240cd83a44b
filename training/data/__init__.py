# SPDX-License-Identifier: Apache-2.0
"""Samples for training: made, written to shards and read from them.

Does not know losses or networks.
"""
