# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at requests without waiting, and waiting for them."""

from __future__ import annotations

from concurrent.futures import Future
from threading import Timer
from types import SimpleNamespace

import pytest

from blender_addon.core_access import Progress, RomeError
from blender_addon.pump import HowFar, Pump


@pytest.fixture
def request_():
    return SimpleNamespace(future=Future(), progress=None)


@pytest.fixture
def pump(request_):
    return Pump(lambda: SimpleNamespace(request=lambda message: request_))


def test_looking_never_waits(pump, request_):
    assert pump.ask("anything") is request_
    assert pump.look(request_) is None
    request_.future.set_result("answer")
    assert pump.look(request_) == "answer"


def test_waiting_waits(pump, request_):
    Timer(0.05, request_.future.set_result, ("answer",)).start()
    assert pump.wait(request_) == "answer"


@pytest.mark.parametrize("how", ["look", "wait"])
def test_a_failed_request_raises_its_error(pump, request_, how):
    request_.future.set_exception(RomeError("no_face", "There is no face."))
    with pytest.raises(RomeError) as caught:
        getattr(pump, how)(request_)
    assert caught.value.code == "no_face"


def test_how_far_is_the_newest_progress(pump, request_):
    assert pump.how_far(request_) == HowFar()
    request_.progress = Progress(1, "fit", 0.5, 2.0)
    assert pump.how_far(request_) == HowFar("fit", 0.5, 2.0)
