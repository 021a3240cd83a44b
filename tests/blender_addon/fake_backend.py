# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that answers without a process: what the operators' tests talk to.

Does not know bpy.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Future

import numpy as np

from blender_addon.core_access import (
    AvatarReady,
    CreateAvatar,
    DetectFaces,
    FacesFound,
    FrameReady,
    LoadAvatar,
    Progress,
    Rebake,
    RenderFrame,
    RomeError,
    SetSurface,
    SurfaceReady,
)
from rome_backend.core.rig_file import rig_to_tensors


class FakeRequest:
    """What the client gives back for a request."""

    def __init__(self):
        self.future, self.progress = Future(), None


class FakeBackend:
    """Answers every request with the given rig of a small head.

    failure: a (code, message, hint) to answer instead; hold: answers wait for release().
    """

    def __init__(self, rig, avatar=b"the bytes of a rome file" * 1000):
        self.rig, self.avatar = rig, avatar
        self.sent, self.cancelled = [], []
        self.failure = None
        self.hold = False
        self.faces = np.array([[10.0, 20.0, 60.0, 90.0]], np.float32)
        self.warnings = ()
        self._held = []

    def request(self, message):
        self.sent.append(message)
        request = FakeRequest()
        self._held.append((request, message))
        if not self.hold:
            self.release()
        return request

    def cancel(self, request):
        self.cancelled.append(request)
        if not request.future.done():
            request.future.set_exception(RomeError("cancelled", "Cancelled."))

    def progress(self, stage, fraction, seconds):
        """Tell of every open request how far it is."""
        for request, _ in self._held:
            request.progress = Progress(1, stage, fraction, seconds)

    def release(self):
        """Answer everything that waits."""
        held, self._held = self._held, []
        for request, message in held:
            if request.future.done():
                continue
            if self.failure is not None:
                request.future.set_exception(RomeError(*self.failure))
            else:
                request.future.set_result(self._answer(message))

    def die(self):
        """Fail everything that waits, as when the process is gone."""
        self.failure = ("backend_stopped", "The backend stopped.", "Press the button again.")
        self.release()

    def _answer(self, message):
        number = message.request_id
        if isinstance(message, DetectFaces):
            return FacesFound(number, 100, 200, self.faces, np.full((64, 32, 3), 90, np.uint8))
        if isinstance(message, SetSurface):
            return SurfaceReady(number, message.surface_id)
        if isinstance(message, RenderFrame):
            shape = (message.height, message.width, 4)
            return FrameReady(number, np.broadcast_to(_piped([0.9, 0.5, 0.2, 1.0]), shape))
        if isinstance(message, LoadAvatar):
            return self._ready(number, message.data.tobytes())
        assert isinstance(message, CreateAvatar | Rebake)
        return self._ready(number, self.avatar)

    def _ready(self, number, avatar):
        tensors, metadata = rig_to_tensors(self.rig)
        tensors = {name: _as_piped(array) for name, array in tensors.items()}
        return AvatarReady(
            number,
            hashlib.sha256(avatar).hexdigest()[:32],
            self.rig.name,
            tensors,
            metadata,
            np.frombuffer(avatar, np.uint8),
            1,
            self.warnings,
            {"texture": "the photo's own rights"},
        )


def _as_piped(array):
    """Return an array as it comes out of the pipe: with an explicit byte order."""
    array = np.asarray(array)
    return np.frombuffer(array.tobytes(), array.dtype.newbyteorder("<")).reshape(array.shape)


def _piped(numbers):
    return _as_piped(np.float32(numbers))
