# SPDX-License-Identifier: GPL-3.0-or-later
"""An error as a person meets it: one sentence, a next step, and a text to send to us.

Does not know bpy. The text never holds a photo's path or name, nor the user's folder.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .core_access import RomeError

PHOTO = "<photo>"
NEXT_STEPS: Mapping[str, str] = {
    "cancelled": "Press the button again when you are ready.",
    "backend_stopped": "Press the button again: the backend restarts by itself.",
}


@dataclass(frozen=True)
class Report:
    """What went wrong: stable code, one sentence, and what to do next."""

    code: str
    message: str
    hint: str = ""

    def sentence(self) -> str:
        """Return message and next step as one text."""
        return f"{self.message} {self.hint}".strip()


def report_of(error: RomeError) -> Report:
    """Return an error's report, with a next step even where the error brings none."""
    return Report(error.code, error.message, error.hint or NEXT_STEPS.get(error.code, ""))


def report_text(report: Report, facts: Mapping[str, str], private: Iterable[str] = ()) -> str:
    """Return the report as text to send.

    facts: versions and devices by name. private: paths that must not appear; neither they nor
    their file names nor the user's folder are left in the text.
    """
    lines = [f"ROME report: {report.code}", report.message]
    if report.hint:
        lines.append(report.hint)
    lines.append(f"System: {platform.system()} {platform.machine()}")
    lines += [f"{name}: {value}" for name, value in facts.items()]
    return without_paths("\n".join(lines) + "\n", private)


def without_paths(text: str, private: Iterable[str]) -> str:
    """Return the text with private paths, their names and the user's folder taken out."""
    forms: list[str] = []
    for path in private:
        parts = Path(path)
        forms += [path, str(parts.resolve()), str(parts.parent), parts.name, parts.stem]
    forms = [form for form in forms if form.strip("./\\")]
    for form in sorted(set(forms), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", PHOTO, text)
    return text.replace(str(Path.home()), "~") if str(Path.home()).strip("/\\") else text
