# SPDX-License-Identifier: Apache-2.0
"""Tests of core/errors.py: exit codes and what an error tells machines and people.

Does not know who raises them.
"""

from __future__ import annotations

import copy
import json

import pytest

from rome_backend.core import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.RomeError, 1),
        (errors.FileInvalid, 1),
        (errors.UsageError, 2),
        (errors.PhotoRefused, 3),
        (errors.AssetMissing, 4),
        (errors.OutOfResources, 5),
    ],
)
def test_exit_codes_and_the_machine_s_view(kind: type[errors.RomeError], code: int) -> None:
    error = kind("no_face", "There is no face.", "Choose another photo.")
    assert isinstance(error, errors.RomeError) and error.exit_code == code
    assert str(error) == "There is no face. Choose another photo."
    assert json.loads(json.dumps(error.as_dict())) == {
        "code": "no_face",
        "message": "There is no face.",
        "hint": "Choose another photo.",
    }


def test_cancelled_has_its_own_words() -> None:
    error = errors.Cancelled()
    assert error.exit_code == 130 and error.code == "cancelled"
    assert "nothing was written" in error.message


def test_an_error_without_a_hint_ends_with_its_sentence() -> None:
    assert str(errors.RomeError("odd", "Odd.")) == "Odd."


@pytest.mark.parametrize(
    "error", [errors.PhotoRefused("no_face", "There is no face.", "Another."), errors.Cancelled()]
)
def test_errors_of_other_processes_arrive_as_they_were(error: errors.RomeError) -> None:
    arrived = copy.copy(error)  # as pickle does it
    assert type(arrived) is type(error) and str(arrived) == str(error)
    assert arrived.as_dict() == error.as_dict() and arrived.exit_code == error.exit_code
