# SPDX-License-Identifier: Apache-2.0
"""How the threads of networks behave beside other work.

Does not know networks, and imports nothing heavy: what it sets counts only before torch is loaded.
"""

from __future__ import annotations

import os
import sys

_POLICY = "OMP_WAIT_POLICY"


def sleep_while_waiting() -> bool:
    """Have this process's computing threads sleep, not spin, while they wait for each other.

    With more threads than cores, as where geometry is prepared beside a network, spinning makes
    frames several times slower. What is set already stays. Returns whether it is in force: False
    where torch was loaded before.
    """
    if "torch" in sys.modules:
        return os.environ.get(_POLICY, "").lower() == "passive"
    os.environ.setdefault(_POLICY, "passive")
    return os.environ[_POLICY].lower() == "passive"
