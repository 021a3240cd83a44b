# SPDX-License-Identifier: Apache-2.0
"""Which tracker, head and networks the words mean, for every set of installed files."""

from __future__ import annotations

import itertools

import pytest

from rome_backend.avatar.choices import AUTO, Choice, choose, missing
from rome_backend.avatar.create_options import CreateOptions
from rome_backend.core.errors import AssetMissing, UsageError

FLAME = {"flame-model", "flame-landmarks-mediapipe"}
OFFICIAL = FLAME | {"flame-uv", "rome"}
LINEAR = FLAME | {"rome-linear-offsets", "rome-offset-basis", "rome-mean-offsets"}
ALL = OFFICIAL | LINEAR | {"deca"}


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        (set(), Choice("open", "open", "open")),
        ({"flame-2023-open"}, Choice("open", "open", "open")),
        ({"flame-model"}, Choice("open", "open", "open")),
        ({"rome", "deca", "flame-uv"}, Choice("open", "open", "open")),
        (FLAME, Choice("open", "flame", "open")),
        ({"flame-model", "flame-landmarks-68"}, Choice("open", "flame", "open")),
        (FLAME | {"deca"}, Choice("deca", "flame", "open")),
        (OFFICIAL, Choice("open", "flame", "official")),
        (OFFICIAL - {"flame-uv"}, Choice("open", "flame", "open")),
        (LINEAR, Choice("open", "flame", "linear")),
        (ALL, Choice("deca", "flame", "official")),
    ],
)
def test_auto_takes_what_is_complete(installed: set[str], chosen: Choice) -> None:
    assert choose(AUTO, AUTO, AUTO, installed) == chosen


def test_auto_never_asks_for_what_is_not_there() -> None:
    names = sorted(ALL | {"flame-2023-open"})
    for count in range(len(names) + 1):
        for installed in itertools.combinations(names, count):
            choice = choose(AUTO, AUTO, AUTO, installed)
            again = choose(choice.tracker, choice.head, choice.networks, installed)
            assert again == choice


@pytest.mark.parametrize("head", ["open", "my_head.safetensors"])
@pytest.mark.parametrize(
    ("tracker", "networks", "code"),
    [("open", "official", "networks"), ("open", "linear", "networks"), ("deca", "open", "tracker")],
)
def test_other_heads_and_flames_networks_do_not_mix(
    head: str, tracker: str, networks: str, code: str
) -> None:
    with pytest.raises(UsageError) as caught:
        choose(tracker, head, networks, ALL)
    assert caught.value.code == f"{code}_need_flame" and "FLAME" in caught.value.message
    assert choose(AUTO, head, AUTO, ALL) == Choice("open", head, "open")


def test_the_reduced_flame_has_not_the_networks_components() -> None:
    with pytest.raises(UsageError):
        choose("open", "flame", "official", {"flame-2023-open"})
    assert choose(AUTO, "flame", AUTO, {"flame-2023-open"}) == Choice("open", "flame", "open")


@pytest.mark.parametrize("name", sorted(ALL - {"flame-landmarks-mediapipe"}))
def test_missing_files_are_named(name: str) -> None:
    installed = ALL - {name}
    needed = {
        part
        for part in ("deca", "official", "linear")
        if missing(part, installed)
    }  # fmt: skip
    assert needed
    for part in needed:
        words = ("deca", "open") if part == "deca" else ("open", part)
        with pytest.raises(AssetMissing) as caught:
            choose(words[0], "flame", words[1], installed)
        assert missing(part, installed)[0] in caught.value.message


def test_networks_alone_bring_flame_along() -> None:
    assert choose(AUTO, AUTO, "linear", LINEAR) == Choice("open", "flame", "linear")
    assert choose("deca", AUTO, "open", ALL) == Choice("deca", "flame", "open")
    assert choose("open", "flame", "open", ALL) == Choice("open", "flame", "open")


def test_unknown_words_are_usage_errors() -> None:
    for words in (("emoca", AUTO, AUTO), (AUTO, AUTO, "mine")):
        with pytest.raises(UsageError) as caught:
            choose(*words, installed=ALL)
        assert caught.value.code == "choice_unknown"


def test_options_carry_a_choice() -> None:
    options = CreateOptions(tracker="deca", head="flame", networks="official")
    assert options.choice() == Choice("deca", "flame", "official")
    with pytest.raises(UsageError):
        CreateOptions(neural_side=300)
