# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a set-up is, guessed from what pip says and from its silence.

Does not run pip, nor know bpy.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping

# Where each stage ends, as a share of the whole work.
FOUND, MADE, FETCHED, INSTALLED, COPIED = 0.02, 0.06, 0.70, 0.95, 0.96
USUAL_SECONDS = 25.0  # of pip's silence, after which two thirds of a step count as done


class Pace:
    """How far pip is, guessed from its lines: large packages count for more.

    pip says nothing while it fetches or unpacks a file; meanwhile the guess creeps on, so that
    a person sees that something happens, and never reaches the next step by itself.

    Args:
        weights: name -> share of the fetching, see packages.weights.
        clock: seconds, of any origin.
    """

    def __init__(
        self, weights: Mapping[str, int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._left = dict(weights)
        self._total = sum(weights.values())
        self._name = ""
        self._installing = False
        self._clock = clock
        self._since = clock()

    def hear(self, line: str) -> None:
        """Take note of a line of pip's."""
        if line.startswith("Installing collected packages"):
            self._installing = True
        elif line.startswith(("Collecting ", "Processing ")):
            self._left.pop(self._name, None)
            self._name = _package_in(line)
        else:
            return
        self._since = self._clock()

    def now(self) -> tuple[str, float]:
        """Return the stage and the share of the whole set-up that is done."""
        crept = 1.0 - math.exp((self._since - self._clock()) / USUAL_SECONDS)
        if self._installing:
            return "Installing packages", FETCHED + (INSTALLED - FETCHED) * crept
        done = self._total - sum(self._left.values()) + self._left.get(self._name, 0) * crept
        share = done / self._total
        return f"Fetching {self._name or 'packages'}", MADE + (FETCHED - MADE) * share


def _package_in(line: str) -> str:
    """Return the package of "Collecting name==1.0 ..." or "Processing /folder/name-1.0-..."."""
    file = re.split(r"[\\/]", line.split(" (from ")[0].split(maxsplit=1)[1])[-1]
    return re.split(r"==|-\d", file)[0].lower().replace("_", "-")
