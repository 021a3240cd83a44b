# SPDX-License-Identifier: Apache-2.0
"""Whether a loss is computed as the paper writes it or as the released code does.

Does not know which losses there are.
"""

from __future__ import annotations

from typing import Literal, get_args

Form = Literal["paper", "released"]
FORMS: tuple[Form, ...] = get_args(Form)


def is_released(form: Form) -> bool:
    """Return whether the released variant is meant. Raises ValueError on another word."""
    if form not in FORMS:
        raise ValueError(f"a loss is computed as {' or '.join(FORMS)}, not as {form!r}")
    return form == "released"
