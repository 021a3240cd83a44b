# SPDX-License-Identifier: Apache-2.0
"""Tests of what the backend answers: on a small head in this process, and for real in a child."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rome_backend.assets import mediapipe as mediapipe_module
from rome_backend.assets.store import cache_dir
from rome_backend.avatar import rebake as rebake_module
from rome_backend.avatar.avatar import load_avatar, save_avatar
from rome_backend.avatar.create import CreateOptions
from rome_backend.avatar.heads import CACHE
from rome_backend.core.errors import AssetMissing, Cancelled, FileInvalid, RomeError, UsageError
from rome_backend.core.messages import (
    AvatarReady,
    CreateAvatar,
    DetectFaces,
    FacesFound,
    Failed,
    LoadAvatar,
    Message,
    Progress,
    Rebake,
)
from rome_backend.core.rig_file import rig_from_tensors
from rome_backend.core.types import Avatar, HeadModel, OffsetBasis
from rome_backend.server import handlers as handlers_module
from rome_backend.server.estimates import StageSeconds
from rome_backend.server.handlers import Handlers
from rome_backend.server.jobs import Job


def ask(handlers: Handlers, message: Any) -> tuple[Any, list[Progress]]:
    """Return the answer and the progress on the way; what the handler raises comes out."""
    sent: list[Message] = []
    job = Job(message, sent.append)
    answer = handlers.table()[type(message)](message, job)
    return answer, [event for event in sent if isinstance(event, Progress)]


def test_a_photo_becomes_an_avatar_with_its_rig_and_its_file(
    handlers: Handlers, maker: Any, model: tuple[HeadModel, OffsetBasis], tmp_path: Path
) -> None:
    message = CreateAvatar(3, ("/photos/Zoë.jpg", "b.png"), 512, 1, 7, "flame")
    answer, _ = ask(handlers, message)
    assert isinstance(answer, AvatarReady)
    assert (answer.request_id, answer.name, answer.faces) == (3, "Zoë", 2)
    assert answer.warnings == ("underexposed",)
    photos, options = maker.calls[0]
    assert photos == [Path("/photos/Zoë.jpg"), Path("b.png")]
    assert options == CreateOptions(512, 1, 7, "auto", "flame")
    rig = rig_from_tensors(answer.rig, answer.rig_metadata)
    assert rig.name == "Zoë" and len(rig.vertices) == len(model[0].template)
    (tmp_path / "x.rome").write_bytes(answer.avatar.tobytes())
    assert load_avatar(tmp_path / "x.rome").name == "Zoë"
    assert hashlib.sha256(answer.avatar.tobytes()).hexdigest().startswith(answer.avatar_id)
    assert handlers.avatar(answer.avatar_id).name == "Zoë"


def test_an_avatar_taken_in_again_is_the_same_one(
    handlers: Handlers, maker: Any, tmp_path: Path
) -> None:
    made, _ = ask(handlers, CreateAvatar(1, ("a.jpg",)))
    fresh = Handlers(StageSeconds(tmp_path / "other.json"))
    loaded, events = ask(fresh, LoadAvatar(2, made.avatar))
    assert (loaded.avatar_id, loaded.name, loaded.faces) == (made.avatar_id, made.name, 0)
    for name, array in made.rig.items():
        np.testing.assert_array_equal(loaded.rig[name], array)
    assert [event.stage for event in events] == ["set up", "rig"]


def test_stages_are_told_in_order_with_a_fraction_that_grows(
    handlers: Handlers, maker: Any
) -> None:
    _, events = ask(handlers, CreateAvatar(1, ("a.jpg", "b.jpg")))
    stages = list(dict.fromkeys(event.stage for event in events))
    assert stages == ["set up", "track", "crop", "fit", "silhouette", "texture", "rig"]
    fractions = [event.fraction for event in events]
    assert fractions == sorted(fractions)
    assert all(event.eta_seconds is not None and event.request_id == 1 for event in events)


def test_former_runs_make_the_next_estimate(handlers: Handlers, maker: Any) -> None:
    maker.during = lambda: time.sleep(0.05)
    _, first = ask(handlers, CreateAvatar(1, ("a.jpg",)))
    ask(handlers, CreateAvatar(2, ("a.jpg",)))
    _, third = ask(handlers, CreateAvatar(3, ("a.jpg",)))
    assert first[0].eta_seconds is not None and third[0].eta_seconds is not None
    assert first[0].eta_seconds > 5
    assert 0.04 < third[0].eta_seconds < 2


def test_tools_are_loaded_once_per_head(handlers: Handlers, maker: Any, loads: list[str]) -> None:
    for number, head in enumerate(["open", "open", "flame", "flame"], 1):
        ask(handlers, CreateAvatar(number, ("a.jpg",), head=head))
    assert loads == ["open", "flame"]


def test_model_files_that_are_missing_are_not_fetched_behind_a_person_s_back(
    handlers: Handlers, maker: Any, monkeypatch: pytest.MonkeyPatch, loads: list[str]
) -> None:
    monkeypatch.setattr(mediapipe_module, "installed", lambda store: False)
    for message in (CreateAvatar(1, ("a.jpg",)), DetectFaces(2, "a.jpg")):
        with pytest.raises(AssetMissing) as caught:
            ask(handlers, message)
        assert caught.value.code == "tracker_models_missing" and "Set Up" in caught.value.hint
    assert loads == [] and maker.calls == []


def test_a_cancelled_job_stops_before_its_next_stage(handlers: Handlers, maker: Any) -> None:
    sent: list[Message] = []
    message = CreateAvatar(1, ("a.jpg",))
    job = Job(message, sent.append)
    maker.during = job.cancel
    with pytest.raises(Cancelled):
        handlers.create_avatar(message, job)
    assert isinstance(sent[-1], Failed) and sent[-1].code == "cancelled"
    assert all(not isinstance(m, Progress) or m.stage != "silhouette" for m in sent)


def test_options_that_are_not_offered_are_refused(handlers: Handlers, maker: Any) -> None:
    with pytest.raises(UsageError) as caught:
        ask(handlers, CreateAvatar(1, ("a.jpg",), size=1000))
    assert caught.value.code == "texture_size"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not ours", b"\x00" * 5000])
def test_files_that_are_no_avatars_are_refused(
    handlers: Handlers, loads: list[str], data: bytes
) -> None:
    with pytest.raises(FileInvalid) as caught:
        ask(handlers, LoadAvatar(1, np.frombuffer(data, np.uint8)))
    assert caught.value.code == "avatar_damaged"


def test_an_avatar_of_another_head_model_is_refused(
    handlers: Handlers, loads: list[str], small_avatar: Avatar, tmp_path: Path
) -> None:
    save_avatar(replace(small_avatar, topology_id="other"), tmp_path / "x.rome")
    data = np.frombuffer((tmp_path / "x.rome").read_bytes(), np.uint8)
    with pytest.raises(FileInvalid) as caught:
        ask(handlers, LoadAvatar(1, data))
    assert caught.value.code == "topology_mismatch"


def test_only_the_last_avatars_are_kept_and_a_forgotten_one_is_named(
    handlers: Handlers, maker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers_module, "KEPT_AVATARS", 2)
    made = [ask(handlers, CreateAvatar(n, (f"{n}.jpg",)))[0].avatar_id for n in (1, 2)]
    handlers.avatar(made[0])
    made.append(ask(handlers, CreateAvatar(3, ("3.jpg",)))[0].avatar_id)
    assert handlers.avatar(made[0]) and handlers.avatar(made[2])
    with pytest.raises(RomeError) as caught:
        handlers.avatar(made[1])
    assert caught.value.code == "avatar_unknown"


def test_rebaking_makes_another_avatar_with_another_texture(
    handlers: Handlers, maker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def halved(
        avatar: Avatar, head: HeadModel, size: int, delight: bool, check: Callable[[], None]
    ) -> Avatar:
        check()
        assert (size, delight) == (512, True)
        return replace(avatar, albedo=avatar.albedo // 2)

    monkeypatch.setattr(rebake_module, "rebake", halved)
    made, _ = ask(handlers, CreateAvatar(1, ("a.jpg",)))
    again, events = ask(handlers, Rebake(2, made.avatar_id, 512, True))
    assert isinstance(again, AvatarReady) and again.request_id == 2
    assert again.avatar_id != made.avatar_id
    np.testing.assert_array_equal(again.rig["albedo"], made.rig["albedo"] // 2)
    np.testing.assert_array_equal(again.rig["vertices"], made.rig["vertices"])
    assert [event.stage for event in events] == ["set up", "texture", "rig"]
    with pytest.raises(RomeError) as caught:
        ask(handlers, Rebake(3, "unheard of"))
    assert caught.value.code == "avatar_unknown"


def own_home(home: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let children use the installed networks and head, but write elsewhere."""
    home.mkdir()
    (home / "assets").symlink_to(models)
    if (cache_dir() / CACHE).is_dir():
        (home / CACHE).symlink_to(cache_dir() / CACHE)
    monkeypatch.setenv("ROME_HOME", str(home))


def test_the_real_backend_makes_a_head_of_a_photo_and_takes_it_in_again(
    start: Callable[[list[str]], Any],
    data_dir: Path,
    tracker_models: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own_home(tmp_path / "home", tracker_models, monkeypatch)
    talk = start(["-m", "rome_backend", "serve"])
    talk.greet()
    photo = data_dir / "photos" / "p05_sanders_glasses.jpg"
    refused = talk.ask(CreateAvatar(1, (str(data_dir / "README.md"),), size=256))
    assert isinstance(refused, Failed) and refused.exit_code == 3
    made = talk.ask(CreateAvatar(2, (str(photo),), size=256))
    assert isinstance(made, AvatarReady), made
    assert made.faces == 1 and made.name == "p05_sanders_glasses"
    rig = rig_from_tensors(made.rig, made.rig_metadata)
    assert rig.albedo.shape == (256, 256, 3) and len(rig.keys) > 100
    assert {"track", "texture", "rig"} <= {event.stage for event in talk.progress}
    assert talk.ask(LoadAvatar(3, made.avatar)).avatar_id == made.avatar_id
    assert talk.ask(CreateAvatar(4, ("gone.jpg",))).exit_code == 3
    assert isinstance(again := talk.ask(Rebake(5, made.avatar_id, 256)), AvatarReady)
    change = np.abs(again.rig["albedo"].astype(int) - made.rig["albedo"])
    assert change.mean() < 0.1
    found = talk.ask(DetectFaces(6, str(photo)))
    assert isinstance(found, FacesFound) and len(found.boxes) == 1
    left, top, right, bottom = found.boxes[0]
    assert 0 < left < right < found.width and 0 < top < bottom < found.height
    assert max(found.thumbnail.shape) == 256
    code, seconds = talk.close()
    assert code == 0 and seconds < 3  # a quarter of a second on an idle machine
    assert (tmp_path / "home" / "stage_seconds.json").is_file()
