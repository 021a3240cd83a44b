# SPDX-License-Identifier: Apache-2.0
"""What the backend does for each request: photos to avatars, avatar files to rigs, faces found.

Does not know pipes or queues. Costly packages are imported by the first job that needs them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rome_backend.core.avatar_text import avatar_key
from rome_backend.core.errors import AssetMissing, RomeError
from rome_backend.core.messages import (
    AvatarReady,
    CreateAvatar,
    DetectFaces,
    LoadAvatar,
    Message,
    Rebake,
)
from rome_backend.core.rig_file import rig_to_tensors
from rome_backend.server.avatar_bytes import avatar_of, bytes_of
from rome_backend.server.estimates import StageSeconds
from rome_backend.server.jobs import Handler, Job

if TYPE_CHECKING:
    from rome_backend.avatar.choices import Choice
    from rome_backend.avatar.create import Tools
    from rome_backend.core.types import Avatar, HeadModel, OffsetBasis

# Seconds of a first run ever, in order; measured on two slow cores, replaced by this machine's own.
CREATE_SECONDS = {
    "set up": 6.0, "track": 0.5, "crop": 0.4, "fit": 0.2, "silhouette": 0.5, "texture": 2.5,
    "rig": 0.5,
}  # fmt: skip
PER_PHOTO = ("track", "crop")
KEPT_AVATARS = 16


class Handlers:
    """The backend's memory between requests: loaded tools and known avatars.

    Args:
        seconds: how long stages took before.
        device: "auto", "cpu" or "cuda": what computes where there is a choice.
    """

    def __init__(self, seconds: StageSeconds, device: str = "auto") -> None:
        self._seconds = seconds
        self._device = device
        self._tools: tuple[Choice, Tools] | None = None
        self._avatars: OrderedDict[str, Avatar] = OrderedDict()

    def table(self) -> Mapping[type[Any], Handler]:
        """Return message type -> what answers it."""
        return {
            CreateAvatar: self.create_avatar,
            LoadAvatar: self.load_avatar,
            Rebake: self.rebake,
            DetectFaces: self.detect_faces,
        }

    def create_avatar(self, message: CreateAvatar, job: Job) -> Message:
        """Make an avatar of photos and its rig (see avatar.create.create_avatar)."""
        photos = max(len(message.photos), 1)
        choice = _chosen(message)
        warm = self._tools is not None and self._tools[0] == choice
        kind = f"create {message.size} {'warm' if warm else 'cold'}"
        first = CREATE_SECONDS | ({"set up": 0.0} if warm else {})
        expected = self._seconds.expected(kind, first)
        job.expect({stage: s * _times(stage, photos) for stage, s in expected.items()})
        job.enter("set up")
        from rome_backend.avatar.create import CreateOptions, create_avatar

        options = CreateOptions(
            message.size, message.face, message.seed, self._device, choice.head, choice.tracker,
            choice.networks, message.neural_size, message.face_tightness, delight=message.delight,
            focal_length=message.focal_length or None,
        )  # fmt: skip
        tools = self._tools_for(choice)
        result = create_avatar(
            [Path(photo) for photo in message.photos],
            options,
            lambda stage, fraction: job.enter(stage) if fraction < 1.0 else None,
            job.is_cancelled,
            tools,
        )
        job.enter("rig")
        answer = self._ready(
            message.request_id, result.avatar, (tools.head, tools.basis), result.faces
        )
        spent = job.seconds()
        shares = {stage: s / _times(stage, photos) for stage, s in spent.items()}
        self._seconds.remember(kind, shares)
        return answer

    def load_avatar(self, message: LoadAvatar, job: Job) -> Message:
        """Take in the bytes of a .rome file; FileInvalid or AssetMissing as its reader says."""
        job.expect(self._seconds.expected("load", {"set up": 2.0, "rig": 0.5}))
        job.enter("set up")
        from rome_backend.avatar.avatar import require_head_model
        from rome_backend.avatar.heads import load_head

        avatar = avatar_of(message.data)
        head, basis = load_head(_head_of(avatar))
        require_head_model(avatar, head)
        job.enter("rig")
        answer = self._ready(message.request_id, avatar, (head, basis), 0)
        self._seconds.remember("load", job.seconds())
        return answer

    def rebake(self, message: Rebake, job: Job) -> Message:
        """Bake a known avatar's texture again, and its neural preview where networks are installed.

        RomeError `avatar_unknown` asks to load it.
        """
        avatar = self.avatar(message.avatar_id)
        kind = f"rebake {message.size}"
        job.expect(self._seconds.expected(kind, {"set up": 1.0, "texture": 2.5, "rig": 0.5}))
        job.enter("set up")
        from rome_backend.avatar.heads import load_head
        from rome_backend.avatar.rebake import rebake

        model = load_head(_head_of(avatar))
        job.enter("texture")
        avatar = rebake(avatar, model[0], message.size, message.delight, job.check)
        avatar, notes = self._with_preview(avatar, model[0], message.size)
        job.enter("rig")
        answer = self._ready(message.request_id, avatar, model, 0)
        self._seconds.remember(kind, job.seconds())
        return replace(answer, warnings=(*answer.warnings, *notes))

    def _with_preview(
        self, avatar: Avatar, head: HeadModel, size: int
    ) -> tuple[Avatar, tuple[str, ...]]:
        """Return the avatar with its neural preview drawn anew, and codes of what cannot be."""
        if avatar.neural_texture is None:
            return avatar, ()
        from rome_backend.assets.store import AssetStore
        from rome_backend.avatar.neural_preview import preview_again
        from rome_backend.render.device import torch_device

        try:
            device = torch_device(self._device)
            return preview_again(avatar, head, size, AssetStore(), device), ()
        except AssetMissing:
            return avatar, ("neural_preview_kept",)

    def detect_faces(self, message: DetectFaces, job: Job) -> Message:
        """Find the faces that may become a head, and make the photo small."""
        job.expect(self._seconds.expected("detect", {"set up": 4.0, "track": 0.5}))
        job.enter("set up")
        from rome_backend.avatar.choices import Choice
        from rome_backend.server.faces import faces_found
        from rome_backend.tracking.photo import load_photo

        tools = self._tools_for(self._tools[0] if self._tools else Choice())
        job.enter("track")
        photo = load_photo(Path(message.photo))
        answer = faces_found(message.request_id, photo, tools.tracker)
        self._seconds.remember("detect", job.seconds())
        return answer

    def avatar(self, avatar_id: str) -> Avatar:
        """Return a known avatar; RomeError `avatar_unknown` when the backend has forgotten it."""
        if avatar_id not in self._avatars:
            raise RomeError(
                "avatar_unknown", "The backend does not know this avatar.", "Load it again."
            )
        self._avatars.move_to_end(avatar_id)
        return self._avatars[avatar_id]

    def _tools_for(self, choice: Choice) -> Tools:
        """Return the loaded tools. Nothing is fetched here: Blender may be offline on purpose."""
        from rome_backend.assets.mediapipe import installed
        from rome_backend.assets.store import AssetStore
        from rome_backend.avatar.create import load_tools

        if self._tools is None or self._tools[0] != choice:
            if not installed(AssetStore()):
                raise AssetMissing(
                    "tracker_models_missing",
                    "The face tracker's model files are not installed.",
                    "Press Set Up in the preferences of the add-on, or run: rome assets fetch",
                )
            tools = load_tools(choice.head, choice=choice, device=self._device)
            self._tools = (choice, tools)
        return self._tools[1]

    def _ready(
        self,
        request_id: int,
        avatar: Avatar,
        model: tuple[HeadModel, OffsetBasis],
        faces: int,
    ) -> AvatarReady:
        """Keep an avatar and return it with its rig; its id is a hash of its file."""
        from rome_backend.export.rig_arrays import rig_arrays

        data = bytes_of(avatar)
        avatar_id = avatar_key(data)
        self._avatars[avatar_id] = avatar
        self._avatars.move_to_end(avatar_id)
        while len(self._avatars) > KEPT_AVATARS:
            self._avatars.popitem(last=False)
        tensors, metadata = rig_to_tensors(rig_arrays(*model, avatar))
        return AvatarReady(
            request_id, avatar_id, avatar.name, tensors, metadata,
            np.frombuffer(data, np.uint8), faces, tuple(avatar.warnings), dict(avatar.licences),
            weights=avatar.weights_id if avatar.neural_texture is not None else "",
        )  # fmt: skip


def _chosen(message: CreateAvatar) -> Choice:
    """Return what a message's words mean with what is installed."""
    from rome_backend.assets.store import AssetStore
    from rome_backend.avatar.choices import choose

    installed = {record.name for record in AssetStore().list()}
    choice = choose(message.tracker, message.head, message.networks, installed)
    return replace(choice, face_tightness=message.face_tightness)


def _head_of(avatar: Avatar) -> str:
    return str(avatar.provenance.get("head", "open"))


def _times(stage: str, photos: int) -> int:
    return photos if stage in PER_PHOTO else 1
