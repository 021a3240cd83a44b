# SPDX-License-Identifier: Apache-2.0
"""Finding words on a screen and what a click, a drag and a key become.

Does not need X: the programs that would look and act are played by a recorder.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.real_blender_inside import screen as module
from tools.real_blender_inside.screen import (
    Screen,
    StepFailed,
    Word,
    difference,
    find_phrase,
    read_words,
)

HEADER = "level\tpage\tblock\tpar\tline\tword\tleft\ttop\twidth\theight\tconf\ttext\n"


def row(text: str, line: int, left: int, top: int, width: int = 90) -> str:
    return f"5\t1\t1\t1\t{line}\t1\t{left}\t{top}\t{width}\t30\t95.1\t{text}\n"


TABLE = HEADER + row("Create", 1, 300, 60) + row("Head", 1, 420, 60) + row("Cancel", 2, 300, 150)


class Player:
    """Plays the programs: pictures are empty, tesseract reads what it is told."""

    def __init__(self, *tables: str) -> None:
        self.tables = list(tables)
        self.commands: list[tuple[str, ...]] = []

    def __call__(self, *command: str, stdin: bytes = b"") -> bytes:
        self.commands.append(command)
        if command[0] == "tesseract":
            return (self.tables.pop(0) if len(self.tables) > 1 else self.tables[0]).encode()
        return b""

    def said(self, *words: str) -> int:
        return sum(command[: len(words)] == words for command in self.commands)


@pytest.fixture
def player(monkeypatch: pytest.MonkeyPatch) -> Player:
    played = Player(TABLE)
    monkeypatch.setattr(module, "_run", played)
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    return played


def test_words_stand_where_they_stand_on_the_screen() -> None:
    words = read_words(TABLE, left=750, top=80)
    assert [word.text for word in words] == ["Create", "Head", "Cancel"]
    assert (words[0].x, words[0].y, words[0].width) == (850.0, 100.0, 30.0)
    assert words[0].line == words[1].line != words[2].line


def test_empty_and_broken_rows_are_no_words() -> None:
    assert read_words(HEADER + row(" ", 1, 0, 0) + "5\t1\t1\n") == []
    assert read_words("") == []


def test_a_phrase_is_found_in_its_middle() -> None:
    assert find_phrase(read_words(TABLE), "create head") == (135.0, 25.0)


@pytest.mark.parametrize("read", ["CreateHead", "Create Heod", "create head", "Croate Head"])
def test_small_slips_of_reading_do_not_matter(read: str) -> None:
    words = [Word(text, (1,), 10.0 * i, 0, 8, 5) for i, text in enumerate(read.split())]
    assert find_phrase(words, "Create Head") is not None


@pytest.mark.parametrize("read", ["Create", "Head", "Delete Head", "Create Hat Rack", ""])
def test_other_words_are_not_taken_for_it(read: str) -> None:
    words = [Word(text, (1,), 10.0 * i, 0, 8, 5) for i, text in enumerate(read.split())]
    assert find_phrase(words, "Create Head") is None


def test_a_phrase_does_not_go_over_lines() -> None:
    words = [Word("Create", (1,), 0, 0, 8, 5), Word("Head", (2,), 0, 10, 8, 5)]
    assert find_phrase(words, "Create Head") is None


def test_the_most_similar_place_wins_and_the_upper_one_if_equal() -> None:
    words = [Word(text, (i,), 0, 10.0 * i, 8, 4) for i, text in enumerate(["Jow", "Jaw", "Jaw"])]
    assert find_phrase(words, "Jaw") == (4.0, 12.0)


def test_it_waits_until_the_phrase_shows(player: Player, tmp_path: Path) -> None:
    player.tables = [HEADER, HEADER, TABLE]
    assert Screen(tmp_path).find("Cancel") == (115.0, 55.0)
    assert player.said("tesseract") == 4


def test_it_looks_inside_the_box_only(player: Player, tmp_path: Path) -> None:
    place = Screen(tmp_path).find("Cancel", lambda: (700, 80, 300, 600))
    assert place == (815.0, 135.0)
    assert any("300x600+700+80" in command for command in player.commands)


def test_a_phrase_that_never_shows_fails_with_what_was_read(player: Player, tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="'Key All' .* Create Head Cancel"):
        Screen(tmp_path).find("Key All", seconds=0.0)


def test_clicks_are_counted_double_ones_once(player: Player, tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    screen.click((10, 20))
    screen.click((10, 20), times=2)
    screen.drag((5, 5), 40)
    screen.scroll((5, 5), -2)
    screen.press("96")
    assert screen.clicks == 2
    assert player.said("xdotool", "click", "--repeat", "2", "--delay", "60", "1") == 1


def test_a_drag_ends_where_it_should(player: Player, tmp_path: Path) -> None:
    Screen(tmp_path).drag((100, 50), 40)
    assert player.commands[-1] == ("xdotool", "mouseup", "1")
    assert player.commands[-2] == ("xdotool", "mousemove", "140", "50")
    assert player.said("xdotool", "mousedown", "1") == 1


@pytest.mark.parametrize(("notches", "button"), [(3, "5"), (-3, "4")])
def test_the_wheel_turns_both_ways(
    player: Player, tmp_path: Path, notches: int, button: str
) -> None:
    Screen(tmp_path).scroll((100, 50), notches)
    assert player.commands[-1] == ("xdotool", "click", "--repeat", "3", "--delay", "60", button)


def test_saved_pictures_are_remembered(player: Player, tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    screen.save("1_panel")
    assert screen.saved == ["1_panel"]
    assert player.commands[-1][-1] == str(tmp_path / "1_panel.png")


def test_a_program_that_fails_fails_the_step() -> None:
    with pytest.raises(StepFailed, match="false failed"):
        module._run("false")
    assert module._run("cat", stdin=b"a") == b"a"


def test_only_what_is_visible_counts_as_a_difference() -> None:
    before = bytes([100] * 8)
    assert difference(before, before) == 0.0
    assert difference(before, bytes([103] * 8)) == 0.0
    assert difference(before, bytes([100] * 6 + [200, 0])) == 0.25
    assert difference(before, bytes([100] * 9)) == 1.0  # the box changed


def test_pixels_are_those_of_the_box(player: Player, tmp_path: Path) -> None:
    assert Screen(tmp_path).pixels((10, 20, 30, 40)) == b""
    assert "30x40+10+20" in player.commands[0] and "gray:-" in player.commands[1]


def test_losing_a_phrase_ends_when_it_is_gone(player: Player, tmp_path: Path) -> None:
    player.tables = [TABLE, TABLE, HEADER, HEADER]  # two readings of each picture
    Screen(tmp_path).lose("Create Head", lambda: (0, 0, 10, 10))
    assert player.said("tesseract") == 4


def test_a_phrase_that_stays_is_a_failure(player: Player, tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="stays"):
        Screen(tmp_path).lose("Create Head", lambda: (0, 0, 10, 10), seconds=0.0)
