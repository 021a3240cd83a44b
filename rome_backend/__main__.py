# SPDX-License-Identifier: Apache-2.0
"""Makes `python -m rome_backend` the rome command.

Does not know any command itself.
"""

import sys

from rome_backend.cli import main

if __name__ == "__main__":
    sys.exit(main())
