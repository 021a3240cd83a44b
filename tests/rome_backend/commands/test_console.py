# SPDX-License-Identifier: Apache-2.0
"""Tests of the console: one clean result on stdout, everything else on stderr.

Does not test any command.
"""

from __future__ import annotations

import ctypes
import io
import json
import os

import pytest

from rome_backend.commands.console import Console, protected_stdout
from rome_backend.core.errors import PhotoRefused


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def streams() -> tuple[io.StringIO, io.StringIO]:
    return io.StringIO(), io.StringIO()


def test_stray_prints_of_python_and_c_do_not_reach_stdout(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with protected_stdout() as out:
        print("stray")
        os.write(1, b"raw\n")
        if os.name == "posix":
            ctypes.CDLL(None).puts(b"from C")  # stays in the C library's buffer
        out.write("result\n")
    said = capfd.readouterr()
    assert said.out == "result\n"
    assert all(word in said.err for word in ("stray", "raw", "from C"))


def test_stdout_is_itself_again_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError), protected_stdout():
        raise ValueError
    os.write(1, b"after\n")
    assert capfd.readouterr().out == "after\n"


def test_json_is_one_object_that_keeps_its_letters(
    streams: tuple[io.StringIO, io.StringIO],
) -> None:
    out, err = streams
    Console(out, as_json=True, err=err).result({"avatar": "имя é.rome"}, ["ignored"])
    assert json.loads(out.getvalue()) == {"avatar": "имя é.rome"}
    assert "имя é" in out.getvalue() and out.getvalue().count("\n") == 1


def test_json_never_holds_nan(streams: tuple[io.StringIO, io.StringIO]) -> None:
    out, err = streams
    with pytest.raises(ValueError):
        Console(out, as_json=True, err=err).result({"a": float("nan")}, [])


def test_without_json_the_lines_are_written(streams: tuple[io.StringIO, io.StringIO]) -> None:
    out, err = streams
    Console(out, err=err).result({"a": 1}, ["wrote x", "wrote y"])
    assert out.getvalue() == "wrote x\nwrote y\n"


def test_an_error_has_a_sentence_a_next_step_and_a_code(
    streams: tuple[io.StringIO, io.StringIO],
) -> None:
    out, err = streams
    error = PhotoRefused("no_face", "No face was found.", "Use another photo.")
    Console(out, as_json=True, err=err).error(error, {"refused": []})
    assert json.loads(out.getvalue()) == {"error": error.as_dict(), "refused": []}
    assert err.getvalue() == "error: No face was found.\n       Use another photo.\n"


def test_progress_is_a_bar_on_a_terminal_and_ends_before_the_next_line() -> None:
    err = Terminal()
    console = Console(io.StringIO(), err=err)
    console.progress("fit", 0.5)
    console.warn("dark")
    shown = err.getvalue()
    assert shown.startswith("\r[############------------]  50% fit")
    assert shown.endswith("\nwarning: dark\n")


def test_progress_is_one_line_per_stage_elsewhere(
    streams: tuple[io.StringIO, io.StringIO],
) -> None:
    out, err = streams
    console = Console(out, err=err)
    for fraction in (0.1, 0.2, 7.0):
        console.progress("fit", fraction)
    console.progress("bake", 0.9)
    assert err.getvalue().splitlines() == [" 10% fit", " 90% bake"]
    assert out.getvalue() == ""


def test_quiet_shows_no_progress_but_warns(streams: tuple[io.StringIO, io.StringIO]) -> None:
    out, err = streams
    console = Console(out, err=err, quiet=True)
    console.progress("fit", 0.1)
    console.warn("dark")
    assert err.getvalue() == "warning: dark\n"
