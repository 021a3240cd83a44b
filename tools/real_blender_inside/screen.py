# SPDX-License-Identifier: Apache-2.0
"""Eyes and hands for a program under X: pictures, the words in them, clicks, drags and keys.

Does not know Blender. Buttons are found by the words on them (tesseract), so that a moved button
is found and a missing one is a failure.
"""

from __future__ import annotations

import difflib
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ENLARGED = 3
# As it is, where grey words on buttons are read too, and black on white, which a viewport behind
# a half transparent panel does not disturb.
READINGS: tuple[tuple[str, ...], ...] = ((), ("-threshold", "50%"))
LIKENESS = 0.84
HOVER_SECONDS = 0.6  # until a busy machine's Blender has seen where the pointer is
VISIBLE = 12  # steps of 256
SCREEN = (0, 0, 1280, 800)
Box = tuple[int, int, int, int]


class StepFailed(Exception):
    """A step whose effect did not show in time; the text says which."""


@dataclass(frozen=True)
class Word:
    """A word on the screen: its text, its line, and its box (x, y, width, height) px."""

    text: str
    line: tuple[int, ...]
    x: float
    y: float
    width: float
    height: float


def read_words(table: str, left: int = 0, top: int = 0, reading: int = 0) -> list[Word]:
    """Return the words of tesseract's TSV for a picture enlarged ENLARGED times.

    left, top: where on the screen the picture was taken, px; reading tells the lines of several
    readings of one picture apart.
    """
    words = []
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) < 12 or not cells[11].strip():
            continue
        x, y, width, height = (int(cell) / ENLARGED for cell in cells[6:10])
        line = (reading, *(int(cell) for cell in cells[2:5]))
        words.append(Word(cells[11].strip(), line, x + left, y + top, width, height))
    return words


def find_phrase(words: list[Word], phrase: str) -> tuple[float, float] | None:
    """Return the middle (x, y) px of the words that read like the phrase, or None.

    They must follow each other in one line; spaces do not count, since tesseract loses some. The
    most similar place wins, the upper one if equal.
    """
    wanted = "".join(phrase.lower().split())
    best: tuple[float, float, float] | None = None
    for start, first in enumerate(words):
        said, last = "", first
        for word in words[start:]:
            if word.line != first.line or len(said) >= len(wanted):
                break
            said, last = said + word.text.lower(), word
        likeness = difflib.SequenceMatcher(None, said, wanted).ratio()
        if likeness >= LIKENESS and (best is None or likeness > best[0]):
            best = (likeness, (first.x + last.x + last.width) / 2, first.y + first.height / 2)
    return None if best is None else best[1:]


def difference(before: bytes, after: bytes) -> float:
    """Return the share of pixels that differ visibly between two of Screen.pixels' answers."""
    if len(before) != len(after):
        return 1.0
    return sum(abs(a - b) > VISIBLE for a, b in zip(before, after, strict=True)) / len(before)


@dataclass
class Screen:
    """The X screen of DISPLAY. clicks counts the clicks of a mouse button since it was made."""

    pictures: Path
    clicks: int = 0
    saved: list[str] = field(default_factory=list)

    def save(self, name: str) -> None:
        """Save a picture of the whole screen as name.png."""
        _run("import", "-window", "root", str(self.pictures / f"{name}.png"))
        self.saved.append(name)

    def pixels(self, box: Box = SCREEN) -> bytes:
        """Return the greys of what is inside the box, one byte each."""
        x, y, width, height = box
        crop = f"{width}x{height}+{x}+{y}"
        picture = _run("import", "-window", "root", "-crop", crop, "+repage", "png:-")
        return _run("convert", "png:-", "-depth", "8", "gray:-", stdin=picture)

    def words(self, box: Box = SCREEN) -> list[Word]:
        """Return the words inside the box (x, y, width, height) px."""
        x, y, width, height = box
        crop = f"{width}x{height}+{x}+{y}"
        picture = _run("import", "-window", "root", "-crop", crop, "+repage", "png:-")
        gray = ("-colorspace", "gray", "-negate", "-resize", f"{100 * ENLARGED}%")
        words: list[Word] = []
        for number, change in enumerate(READINGS):
            large = _run("convert", "png:-", *gray, *change, "png:-", stdin=picture)
            table = _run("tesseract", "-", "-", "--psm", "11", "tsv", stdin=large)
            words += read_words(table.decode("utf-8", "replace"), x, y, number)
        return words

    def find(
        self, phrase: str, box: Callable[[], Box] = lambda: SCREEN, seconds: float = 20.0
    ) -> tuple[float, float]:
        """Wait for the phrase inside the box, which may change, and return its middle (x, y) px.

        Raises StepFailed where it does not show in time.
        """
        deadline = time.monotonic() + seconds
        while True:
            words = self.words(box())
            place = find_phrase(words, phrase)
            if place is not None:
                return place
            if time.monotonic() > deadline:
                seen = " ".join(word.text for word in words)
                raise StepFailed(f"{phrase!r} is not on the screen, which says: {seen}")

    def lose(self, phrase: str, box: Callable[[], Box], seconds: float = 60.0) -> None:
        """Wait until the phrase is no longer inside the box; raises StepFailed if it stays."""
        deadline = time.monotonic() + seconds
        while find_phrase(self.words(box()), phrase) is not None:
            if time.monotonic() > deadline:
                raise StepFailed(f"{phrase!r} stays on the screen")

    def click(self, place: tuple[float, float], times: int = 1) -> None:
        """Click the left button; a double click counts as one click."""
        self.move(place)
        _run("xdotool", "click", "--repeat", str(times), "--delay", "60", "1")
        self.clicks += 1
        time.sleep(0.4)

    def move(self, place: tuple[float, float]) -> None:
        """Move the pointer there in two steps: Blender notices a motion, not a place."""
        x, y = (str(round(value)) for value in place)
        _run("xdotool", "mousemove", str(round(place[0]) - 6), str(round(place[1]) - 3))
        time.sleep(0.15)
        _run("xdotool", "mousemove", x, y)
        time.sleep(HOVER_SECONDS)

    def drag(self, place: tuple[float, float], dx: int) -> None:
        """Press at the place, move right by dx px and let go."""
        self.move(place)
        _run("xdotool", "mousedown", "1")
        time.sleep(HOVER_SECONDS)
        for step in range(1, 9):
            x, y = round(place[0] + dx * step / 8), round(place[1])
            _run("xdotool", "mousemove", str(x), str(y))
            time.sleep(0.1)
        time.sleep(HOVER_SECONDS)
        _run("xdotool", "mouseup", "1")
        time.sleep(0.4)

    def scroll(self, place: tuple[float, float], notches: int) -> None:
        """Turn the wheel at the place, downwards if positive."""
        self.move(place)
        button = "5" if notches > 0 else "4"
        _run("xdotool", "click", "--repeat", str(abs(notches)), "--delay", "60", button)
        time.sleep(0.5)

    def press(self, key: str) -> None:
        """Press a key by xdotool's name or an X keycode."""
        _run("xdotool", "key", key)
        time.sleep(0.4)


def _run(*command: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(command, input=stdin, capture_output=True)
    if done.returncode:
        raise StepFailed(f"{command[0]} failed: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout
