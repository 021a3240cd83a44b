# SPDX-License-Identifier: Apache-2.0
"""The process that Blender talks to: messages in on stdin, answers out on stdout.

Does not know Blender; what it can do is what the library can do.
"""
