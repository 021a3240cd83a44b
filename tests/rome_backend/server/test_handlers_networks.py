# SPDX-License-Identifier: Apache-2.0
"""Tests of what the backend answers where trackers and networks are chosen, or draw a preview."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rome_backend.avatar import choices as choices_module
from rome_backend.avatar import create as create_module
from rome_backend.avatar import neural_preview as preview_module
from rome_backend.avatar import rebake as rebake_module
from rome_backend.avatar.choices import Choice
from rome_backend.avatar.create import Tools
from rome_backend.core.errors import AssetMissing, UsageError
from rome_backend.core.messages import (
    CreateAvatar,
    Message,
    Progress,
    Rebake,
)
from rome_backend.core.types import Avatar, HeadModel, OffsetBasis
from rome_backend.server.handlers import Handlers
from rome_backend.server.jobs import Job


def ask(handlers: Handlers, message: Any) -> tuple[Any, list[Progress]]:
    """Return the answer and the progress on the way; what the handler raises comes out."""
    sent: list[Message] = []
    job = Job(message, sent.append)
    answer = handlers.table()[type(message)](message, job)
    return answer, [event for event in sent if isinstance(event, Progress)]


def test_a_message_says_what_makes_the_avatar(
    handlers: Handlers,
    maker: Any,
    monkeypatch: pytest.MonkeyPatch,
    model: tuple[HeadModel, OffsetBasis],
) -> None:
    """In the words of `rome create`; what is auto is chosen by what is installed."""
    asked: list[tuple[str, ...]] = []

    def choose(tracker: str, head: str, networks: str, installed: set[str]) -> Choice:
        asked.append((tracker, head, networks))
        return Choice("deca", "flame", "official")

    def load_tools(head: str, *, choice: Choice, device: str) -> Tools:
        assert choice == Choice("deca", "flame", "official", 0.25)
        nothing: Any = None
        return Tools(*model, nothing, nothing, nothing)

    monkeypatch.setattr(choices_module, "choose", choose)
    monkeypatch.setattr(create_module, "load_tools", load_tools)
    message = CreateAvatar(
        3, ("a.png",), head="auto", tracker="deca", networks="official", neural_size=512,
        face_tightness=0.25, delight=True, focal_length=85.0,
    )  # fmt: skip
    ask(handlers, message)
    assert asked == [("deca", "auto", "official")]
    (_, options), choice = maker.calls[0], Choice("deca", "flame", "official", 0.25)
    assert options.choice() == choice and options.neural_side == 512 and options.delight
    assert options.focal_length == 85.0
    ask(handlers, replace(message, request_id=4, focal_length=0.0))
    assert maker.calls[1][1].focal_length is None  # what the photo says


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"networks": "official"}, "networks_need_flame"),
        ({"tracker": "deca"}, "tracker_need_flame"),
        ({"head": "auto", "networks": "magic"}, "choice_unknown"),
        ({"face_tightness": 2.0}, "face_tightness"),
        ({"neural_size": 300}, "neural_side"),
    ],
)
def test_words_that_make_no_sense_are_refused(
    handlers: Handlers, maker: Any, parts: dict[str, Any], code: str
) -> None:
    with pytest.raises(UsageError) as refused:
        ask(handlers, CreateAvatar(1, ("a.jpg",), **parts))
    assert refused.value.code == code and not maker.calls


@pytest.mark.parametrize("installed", [True, False])
def test_a_neural_preview_is_drawn_again_by_its_own_networks(
    handlers: Handlers, maker: Any, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    old = np.full((16, 16, 3), 7, np.uint8)
    maker.avatar = replace(
        maker.avatar, neural_texture=np.zeros((8, 16, 16), np.float32), weights_id="f" * 16,
        neural_preview=old,
    )  # fmt: skip

    def loaded(weights_id: str, head: HeadModel, store: Any, device: Any) -> str:
        assert weights_id == "f" * 16
        if not installed:
            raise AssetMissing("networks_missing", "They are not installed.")
        return "system"

    def drawn(system: str, avatar: Avatar, head: HeadModel, size: int, device: Any) -> np.ndarray:
        assert (system, size) == ("system", 512) and avatar.albedo.max() == 9
        return old + 1

    def baked(avatar: Avatar, *rest: Any) -> Avatar:
        return replace(avatar, albedo=np.full_like(avatar.albedo, 9))

    monkeypatch.setattr(rebake_module, "rebake", baked)
    monkeypatch.setattr(preview_module, "rendering_networks", loaded)
    monkeypatch.setattr(preview_module, "neural_preview", drawn)
    made, _ = ask(handlers, CreateAvatar(1, ("a.jpg",)))
    assert made.weights == "f" * 16
    again, _ = ask(handlers, Rebake(2, made.avatar_id, 1024))
    assert again.rig["neural_preview"].max() == (8 if installed else 7)
    assert ("neural_preview_kept" in again.warnings) != installed
    assert "neural_preview_kept" not in handlers.avatar(again.avatar_id).warnings
