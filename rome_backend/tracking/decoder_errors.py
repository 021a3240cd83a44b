# SPDX-License-Identifier: Apache-2.0
"""What Pillow's decoders raise on damaged files.

Does not know what is done about it. Pillow promises OSError; fuzzing finds the others.
"""

from __future__ import annotations

import struct
import zlib

DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    AttributeError,
    struct.error,
    zlib.error,
)
