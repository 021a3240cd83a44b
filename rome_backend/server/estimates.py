# SPDX-License-Identifier: Apache-2.0
"""How long is left: a run's stages against what the same stages took before on this machine.

Does not know what the stages do.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rome_backend.core.atomic_file import replacing
from rome_backend.core.errors import RomeError

_log = logging.getLogger(__name__)
_NEWEST = 0.5  # share of the newest run in what is remembered
_ALMOST = 0.99
_MANY = 200  # kinds kept; more can only be a fault
_LONGEST = 3600.0


class StageClock:
    """One run: which stage it is in, and a guess of fraction and seconds left.

    expected: seconds per stage, in order; unknown stages may come all the same.
    """

    def __init__(
        self, expected: Mapping[str, float], now: Callable[[], float] = time.monotonic
    ) -> None:
        self.stage = ""
        self._expected = dict(expected)
        self._now = now
        self._spent: dict[str, float] = {}
        self._since = now()
        self._fraction = 0.0

    def enter(self, stage: str) -> None:
        """Begin a stage; a stage may come again (one per photo)."""
        self._spent = self.seconds()
        self.stage, self._since = stage, self._now()

    def seconds(self) -> dict[str, float]:
        """Return the seconds spent per stage, the present one included."""
        spent = dict(self._spent)
        if self.stage:
            spent[self.stage] = spent.get(self.stage, 0.0) + self._now() - self._since
        return spent

    def estimate(self) -> tuple[float, float | None]:
        """Return (fraction in [0, 1), seconds left or None); the fraction never goes back."""
        if self.stage not in self._expected:
            return self._fraction, None
        spent = self.seconds()
        order = list(self._expected)
        ahead = order[order.index(self.stage) :]
        left = sum(max(self._expected[name] - spent.get(name, 0.0), 0.0) for name in ahead)
        total = sum(spent.values()) + left
        share = min(1.0 - left / total, _ALMOST) if total > 0.0 else 0.0
        self._fraction = max(self._fraction, share)
        return self._fraction, left


class StageSeconds:
    """The remembered seconds per stage of each kind of job, in one small JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def expected(self, kind: str, default: Mapping[str, float]) -> dict[str, float]:
        """Return seconds per stage in the default's order; remembered ones where there are."""
        known = self._read().get(kind, {})
        return {stage: known.get(stage, seconds) for stage, seconds in default.items()}

    def remember(self, kind: str, seconds: Mapping[str, float]) -> None:
        """Mix a finished run into what is remembered; a file that cannot be written is logged."""
        everything = self._read()
        known = everything.pop(kind, {})
        mixed = {
            stage: _NEWEST * value + (1.0 - _NEWEST) * known.get(stage, value)
            for stage, value in seconds.items()
        }
        everything[kind] = {stage: round(value, 4) for stage, value in mixed.items()}
        kept = dict(list(everything.items())[-_MANY:])
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._path) as file:
                file.write(json.dumps(kept, indent=1).encode())
        except (OSError, RomeError) as error:
            _log.warning("the seconds per stage cannot be kept: %s", error)

    def _read(self) -> dict[str, dict[str, float]]:
        """Return what is remembered; a damaged file counts as none."""
        try:
            content = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            _log.warning("the seconds per stage cannot be read: %s", error)
            return {}
        if not isinstance(content, dict):
            return {}
        return {kind: _plausible(stages) for kind, stages in content.items()}


def _plausible(stages: object) -> dict[str, float]:
    if not isinstance(stages, dict):
        return {}
    return {
        name: float(value)
        for name, value in stages.items()
        if type(value) in (int, float) and 0.0 <= value <= _LONGEST
    }
