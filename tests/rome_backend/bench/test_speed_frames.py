# SPDX-License-Identifier: Apache-2.0
"""Whole frames and timelines with tiny networks: what is timed and told, never how fast it is."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
import torch

from rome_backend.bench import random_networks, speed_frames, speed_timeline, timeline
from rome_backend.bench.processes import ChildResult, resident_mib, run_child
from rome_backend.bench.random_networks import (
    average_avatar,
    random_drawing,
    random_feed_forward,
    random_neural_avatar,
)
from rome_backend.core.errors import RomeError
from rome_backend.core.types import HeadModel
from rome_backend.models.light_renderer import LIGHT_RENDERERS, LightParams
from rome_backend.models.unet import UNetParams

SIDE = 32


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIGHT_RENDERERS, "light", LightParams(base=8, levels=2))
    monkeypatch.setitem(LIGHT_RENDERERS, "light-blocks", LightParams(base=8, levels=2, block=2))
    small = UNetParams(47, 4, (8, 8, 8))
    monkeypatch.setattr(random_networks, "PICTURE", small)
    monkeypatch.setattr(speed_frames, "PICTURE", small)
    monkeypatch.setattr(speed_frames, "SIDE", SIDE)
    monkeypatch.setattr(speed_frames, "LIGHT_AT", {SIDE: "light", 2 * SIDE: "light-blocks"})


def test_a_view_comes_again_after_all_the_others(small_head: HeadModel) -> None:
    shown = list(islice(speed_frames.views(small_head, SIDE), 2 * speed_frames.POSES))
    jaws = [params.jaw[0] for _, params in shown if params is not None]
    assert jaws[: speed_frames.POSES] == jaws[speed_frames.POSES :]
    assert len(set(jaws)) == speed_frames.POSES
    assert {(camera.width, camera.height) for camera, _ in shown} == {(SIDE, SIDE)}


def test_every_renderer_and_size_is_timed(small_head: HeadModel) -> None:
    ratios, seconds = speed_frames.bench_frames(small_head, 2, (SIDE, 2 * SIDE))
    assert set(ratios) == {"frame_light_32_vs_official", "frame_light_64_vs_official"}
    for found in ratios.values():
        assert 0 < found.low <= found.value <= found.high
    for name in ("rome", "light", "light-blocks", "textured"):
        for size in (SIDE, 2 * SIDE):
            assert min(seconds[f"frame_{name}_{size}"]) > 0
    assert {"skinning_oracle", "skinning_animator", "parts_raster_256"} <= seconds.keys()
    assert len(seconds["frame_light_32"]) == 2


def test_the_same_weights_every_time_and_real_pictures(small_head: HeadModel) -> None:
    view = next(speed_frames.views(small_head, SIDE))
    for name in ("rome", "light"):
        first, second = (random_neural_avatar(name, small_head)[0] for _ in range(2))
        picture = first.pictures([view])
        assert np.array_equal(picture, second.pictures([view]))
    assert picture[..., :3].std() > 1
    with pytest.raises(ValueError, match="no network draws"):
        random_drawing("textured", None)  # type: ignore[arg-type]


def test_seconds_are_those_of_the_network(small_head: HeadModel) -> None:
    avatar, timed = random_neural_avatar("light", small_head)
    features = avatar.prepare([next(speed_frames.views(small_head, SIDE))])
    assert timed.seconds == 0
    start = time.perf_counter()
    avatar.finish(features)
    assert 0 < timed.seconds <= time.perf_counter() - start


def test_the_released_system_counts_each_network(
    small_head: HeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rome_backend.models.texture_encoder import TextureEncoderParams, make_texture_encoder

    monkeypatch.setattr(random_networks, "GEOMETRY", UNetParams(47, 32, (8, 8, 8)))
    encoder = make_texture_encoder(TextureEncoderParams(inner=4, levels=2))
    monkeypatch.setattr(random_networks, "make_texture_encoder", lambda: encoder)
    system, networks = random_feed_forward(small_head)
    with torch.no_grad():
        texture = system.encode(torch.rand(1, 3, 16, 16), torch.ones(1, 1, 16, 16))
        system.offsets(texture, torch.as_tensor(small_head.template)[None])
    assert [network.seconds > 0 for network in networks] == [True, True, True, False]
    assert average_avatar(small_head).neural_texture is not None


@pytest.mark.parametrize(("how", "size"), [("alone", "32"), ("batches", "64")])
def test_the_child_tells_what_it_saw(
    how: str, size: str, small_head: HeadModel, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("rome_backend.open_head.build.open_head", lambda folder: small_head)
    timeline.child("light", "12", size, how)
    found = json.loads(capsys.readouterr().out)
    assert found["frames"] == len(found["frame_ms"]) == 12
    assert 0 < found["network_seconds"] <= found["seconds"]
    if sys.platform == "linux":
        assert found["early_mib"] > 20 and found["peak_mib"] > 0.95 * found["late_mib"] > 20
    if how == "alone":
        assert min(found["frame_ms"]) > 0


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple]]:
    """Children that answer at once; what they were started with."""
    started: list[tuple] = []

    def run(command: list[str], timeout: float, settings: dict[str, str]) -> ChildResult:
        started.append((command[4:], settings))
        found = {
            "frames": 20, "seconds": 4.0, "network_seconds": 3.0, "early_mib": 200.0,
            "late_mib": 202.0 if command[4] == "rome" else 204.0,
            "frame_ms": [10.0 * number for number in range(11)], "peak_mib": 321.4,
        }  # fmt: skip
        return ChildResult(0, "noise\n" + json.dumps(found), "", 1.0, 999.0)

    monkeypatch.setattr(timeline, "run_child", run)
    yield started


def test_timelines_become_shares_growth_and_a_light_frame_s_time(children: list[tuple]) -> None:
    ratios, light = speed_timeline.bench_timelines(240, hog=False)
    assert ratios == {
        "render_network_share": 0.75,
        "render_memory_growth": pytest.approx(0.02),
    }
    assert light == {
        "rest_ms": 50.0, "frame_ms": 50.0, "p90_ms": 90.0, "hogged_p90_ms": None, "peak_mib": 321,
    }  # fmt: skip
    assert [started[0] for started in children] == [
        ["rome", "240", "256", "batches"],
        ["light", "240", "256", "batches"],
        ["light", "100", "256", "alone"],
    ]
    assert "OMP_NUM_THREADS" not in children[0][1]
    assert int(children[2][1]["OMP_NUM_THREADS"]) == max(1, (os.cpu_count() or 1) - 1)


def test_a_busy_process_is_there_while_frames_are_drawn_and_gone_after(
    children: list[tuple], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = timeline.multiprocessing
    seen: list[int] = []
    run = timeline.run_child

    def watched(*arguments: object) -> ChildResult:
        seen.append(len(context.active_children()))
        return run(*arguments)  # type: ignore[arg-type]

    before = len(context.active_children())
    monkeypatch.setattr(timeline, "run_child", watched)
    timeline.watched_timeline("light", 20, busy=True, alone=True)
    timeline.watched_timeline("light", 20)
    assert seen == [before + 1, before] and len(context.active_children()) == before


def test_a_child_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    said = ChildResult(1, "", "Traceback\nKeyError: 'x'\n", 1.0, None)
    monkeypatch.setattr(timeline, "run_child", lambda *_: said)
    with pytest.raises(RomeError, match="KeyError") as caught:
        timeline.watched_timeline("light", 20)
    assert caught.value.code == "bench_failed"


def test_memory_that_is_not_known_grows_nowhere(
    children: list[tuple], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> dict:
        return {
            "frames": 1, "seconds": 1.0, "network_seconds": 1.0, "frame_ms": [1.0],
            "early_mib": None, "late_mib": None, "peak_mib": None,
        }  # fmt: skip

    monkeypatch.setattr(speed_timeline, "watched_timeline", unknown)
    ratios, light = speed_timeline.bench_timelines(24, hog=True)
    assert ratios["render_memory_growth"] is None and light["peak_mib"] is None


def test_children_get_settings_beside_the_environment() -> None:
    program = "import os; print(os.environ['ROME_TEST_SETTING'], 'PATH' in os.environ)"
    done = run_child([sys.executable, "-c", program], 60, {"ROME_TEST_SETTING": "7"})
    assert done.stdout.split() == ["7", "True"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it in /proc")
def test_memory_follows_what_is_used_and_the_peak_stays() -> None:
    program = """
from rome_backend.bench.processes import peak_resident_mib, resident_mib
before = resident_mib()
held = bytearray(b"x") * (200 << 20)
during = resident_mib()
del held
print(before, during, resident_mib(), peak_resident_mib())
"""
    done = run_child([sys.executable, "-c", program], 60)
    before, during, after, peak = map(float, done.stdout.split())
    assert during - before > 150 and during - after > 150 and peak > 0.95 * during


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it in /proc")
def test_a_child_s_peak_is_its_own() -> None:
    held = np.ones(160 << 17)
    program = (
        "from rome_backend.bench.processes import peak_resident_mib; print(peak_resident_mib())"
    )
    done = run_child([sys.executable, "-c", program], 60)
    assert float(done.stdout) < 100 < 160 <= (resident_mib() or 0) and held[0]
