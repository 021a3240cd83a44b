# SPDX-License-Identifier: Apache-2.0
"""One conversation: reads messages on a thread, runs jobs on the caller's, tells how far they are.

Does not know processes or what the jobs do.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from rome_backend.core.errors import ProtocolError, RomeError
from rome_backend.core.framing import Frame, Readable, Writable, read_frame
from rome_backend.core.message_codec import decode, send
from rome_backend.core.messages import PROTOCOL, Cancel, Failed, Hello, Message, Shutdown, Welcome
from rome_backend.server.jobs import Handler, Job, JobQueue, run_job

_log = logging.getLogger(__name__)
GRACE_SECONDS = 0.3
TICK_SECONDS = 0.25
STUCK_SECONDS = 60.0


class Session:
    """A conversation over two streams.

    Args:
        reading, writing: binary streams.
        handlers: message type -> what answers it.
        welcome: the answer to Hello.
        abandon: ends the process with an exit code when the other side is gone and a job
            does not stop by itself within GRACE_SECONDS.
    """

    def __init__(
        self,
        reading: Readable,
        writing: Writable,
        handlers: Mapping[type[Any], Handler],
        welcome: Welcome,
        abandon: Callable[[int], Any] = os._exit,
    ) -> None:
        self._reading = reading
        self._writing = writing
        self._handlers = handlers
        self._welcome = welcome
        self._abandon = abandon
        self._jobs = JobQueue()
        self._write_lock = threading.Lock()
        self._ended = threading.Event()
        self._greeted = False
        self._exit_code = 0

    def run(self) -> int:
        """Talk until the other side ends or says so; return the exit code."""
        for target in (self._read, self._tick):
            threading.Thread(target=target, name=target.__name__, daemon=True).start()
        try:
            while (job := self._jobs.take()) is not None:
                run_job(job, self._handlers[type(job.message)])
        finally:
            self._ended.set()
        return self._exit_code

    def _read(self) -> None:
        """Read until the end; then stop the jobs, and the process if they do not stop."""
        try:
            while (frame := read_frame(self._reading)) is not None and self._take(frame):
                pass
        except ProtocolError as error:
            _log.error("the conversation is broken: %s", error)
            self._exit_code = 1
            self._refuse(0, error)
        except OSError as error:
            _log.info("the other side is gone: %s", error)
        self._jobs.close()
        if not self._ended.wait(GRACE_SECONDS):
            _log.info("a job did not stop in time")
            self._abandon(self._exit_code)

    def _take(self, frame: Frame) -> bool:
        """Act on one frame; False when it was the last."""
        request_id = frame.fields.get("request_id")
        request_id = request_id if type(request_id) is int else 0
        try:
            message = decode(frame)
            if isinstance(message, Shutdown):
                return False
            self._act(message, request_id)
        except ProtocolError as error:
            _log.warning("refused a message: %s", error)
            self._refuse(request_id, error)
        return True

    def _act(self, message: Message, request_id: int) -> None:
        if isinstance(message, Hello):
            self._greeted = message.protocol == PROTOCOL
            self._send(self._welcome)
        elif not self._greeted:
            raise ProtocolError(
                "backend_version",
                f"The backend speaks protocol {PROTOCOL}, the add-on another.",
                "Update both to the same version.",
            )
        elif isinstance(message, Cancel):
            self._jobs.cancel(message.request_id)
        elif type(message) in self._handlers:
            self._jobs.put(Job(message, self._send))
        else:
            name = type(message).__name__
            raise ProtocolError(
                "message_unexpected", f"The backend does not answer {name}.", "Update the backend."
            )

    def _refuse(self, request_id: int, error: RomeError) -> None:
        facts = (error.code, error.message, error.hint, error.exit_code)
        self._send(Failed(request_id, *facts))

    def _send(self, message: Message) -> None:
        """Send one message whole; when nobody listens any more the conversation is over.

        Raises ValueError for what cannot be sent, as long as there is somebody to send it to.
        """
        try:
            with self._write_lock:
                send(self._writing, message)
        except OSError as error:
            self._end(error)
        except ValueError as error:
            if not getattr(self._writing, "closed", False):
                raise
            self._end(error)  # a closed stream's way to say the same

    def _end(self, reason: Exception) -> None:
        _log.info("nobody listens: %s", reason)
        threading.Thread(target=self._jobs.close, daemon=True).start()

    def _tick(self) -> None:
        """Tell how far the running job is, several times a second.

        A job that is cancelled and never stops would keep all others waiting: the process ends,
        and the add-on's next request starts another.
        """
        while not self._ended.wait(TICK_SECONDS):
            job = self._jobs.running()
            if job is not None:
                job.tell()
                if job.seconds_since_cancel() > STUCK_SECONDS:
                    _log.error("%s does not stop", type(job.message).__name__)
                    self._abandon(1)
