# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend's client: requests out, answers in, from any thread and without blocking it.

Does not know bpy or what the requests mean. One thread writes, one reads; progress waits in
queues until somebody looks.
"""

from __future__ import annotations

import atexit
import itertools
import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from ..core_access import (
    PROTOCOL,
    Cancel,
    Cancelled,
    Failed,
    Hello,
    Message,
    Progress,
    ProtocolError,
    RomeError,
    Welcome,
)
from .environment import backend_source, version_in
from .locate import Choice, Launch, find_backend
from .process import BackendProcess
from .request import BackendFailed, Request, check_version, died, no_start

HELLO_SECONDS = 60.0
STUCK_SECONDS = 15.0  # loading PyTorch from a cold disk lets nothing else run for that long
END_SECONDS = 1.0

__all__ = ["BackendFailed", "Client", "Request", "choose", "close_shared", "shared"]

# Messages with how to start the backend (None: only if it runs); None is the end.
_Outbox: TypeAlias = "queue.Queue[tuple[Any, Launch | None] | None]"


class Client:
    """A backend that is there when it is needed.

    The first request starts it; after it died, was closed or was chosen anew, the next one does.

    Args:
        find: returns how to start it, or raises RomeError; asked by requests of the main thread,
            since it may look into Blender, by others only when nobody asked; version: our own.
    """

    def __init__(self, find: Callable[[], Launch], version: str) -> None:
        self._find = find
        self._last_launch: Launch | None = None
        self._version = version
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._pending: dict[int, Request] = {}
        self._unconfirmed: set[int] = set()
        self._outbox: _Outbox = queue.Queue()
        self._writer: threading.Thread | None = None
        self._timers: list[threading.Timer] = []
        self._process: BackendProcess | None = None
        self.welcome: Welcome | None = None

    @property
    def pid(self) -> int | None:
        """Number of the backend's process, or None while there is none."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def request(self, message: Any, events: queue.Queue[Progress] | None = None) -> Request:
        """Send a request and return at once; whatever goes wrong goes into its future.

        Args:
            message: a request; its request_id is replaced by the client's own.
            events: gets the Progress of this request.
        """
        request = Request(next(self._numbers), events)
        try:
            launch = self._launch()
        except RomeError as error:
            request.finish(error)
            return request
        with self._lock:
            self._pending[request.request_id] = request
        self._put(replace(message, request_id=request.request_id), launch)
        return request

    def cancel(self, request: Request) -> None:
        """Give a request up: its future raises Cancelled at once, and the backend is told.

        A backend that does not confirm within STUCK_SECONDS is killed; the next request starts
        another. One that was not sent the request yet, since it still starts, never gets it.
        """
        with self._lock:
            if self._pending.pop(request.request_id, None) is None:
                return
            carrier = request.carrier
            if carrier is not None:
                self._unconfirmed.add(request.request_id)
        request.finish(Cancelled())
        if carrier is None:
            return
        self._put(Cancel(request.request_id), None)
        who = (request.request_id, carrier)
        timer = threading.Timer(STUCK_SECONDS, self._kill_if_stuck, who)
        timer.daemon = True
        self._timers = [each for each in self._timers if each.is_alive()] + [timer]
        timer.start()

    def close(self) -> None:
        """End the backend; what is pending fails with Cancelled. A later request starts anew.

        The threads end too: what they keep alive must not be Blender's module when Python ends.
        """
        process, self._process = self._process, None
        self._fail(lambda request: True, Cancelled())
        with self._lock:
            writer, self._writer = self._writer, None
            outbox, self._outbox = self._outbox, queue.Queue()
        outbox.put(None)
        for timer in self._timers:
            timer.cancel()
        if process is not None:
            process.end()
        if writer is not None and writer is not threading.current_thread():
            writer.join(END_SECONDS)

    def _launch(self) -> Launch:
        """Return how to start the backend."""
        main = threading.current_thread() is threading.main_thread()
        if main or self._last_launch is None:
            self._last_launch = self._find()
        return self._last_launch

    def _put(self, message: Any, launch: Launch | None) -> None:
        """Leave a message to the writing thread, and see to it that there is one."""
        with self._lock:
            self._outbox.put((message, launch))
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(
                    target=self._write, args=(self._outbox,), name="rome-out", daemon=True
                )
                self._writer.start()

    def _write(self, outbox: _Outbox) -> None:
        """Send what is in the outbox, starting the backend where a request finds none."""
        while (entry := outbox.get()) is not None:
            message, launch = entry
            try:
                if launch is None:
                    self._send_cancel(message)
                else:
                    self._send(message, launch)
            except RomeError as error:
                self._finish(message.request_id, error)

    def _send_cancel(self, message: Cancel) -> None:
        process = self._process
        try:
            if process is not None:
                process.write(message)
                return
        except OSError:
            pass  # it is gone, and the request with it
        self._unconfirmed.discard(message.request_id)

    def _send(self, message: Any, launch: Launch) -> None:
        """Write a request; a backend that died while nobody looked is started once more."""
        for attempt in (1, 2):
            if message.request_id not in self._pending:
                return  # given up before it was sent
            process = self._connected(launch)
            with self._lock:
                request = self._pending.get(message.request_id)
                if request is None:  # given up while the backend started
                    return
                request.carrier = process
            try:
                process.write(message)
                return
            except OSError as error:
                process.kill()
                if attempt == 2:
                    raise died() from error
            except ValueError as error:
                text = f"This cannot be sent to the backend: {error}."
                raise RomeError("request_invalid", text, "Report this.") from error

    def _connected(self, launch: Launch) -> BackendProcess:
        """Return the running backend, or start one and let it say hello.

        One that was started in another way is replaced once it has nothing to do.
        """
        process = self._process
        if process is not None and process.is_alive():
            busy = any(request.carrier is process for request in list(self._pending.values()))
            if busy or process.launch == launch:
                return process
            self._process = None
            process.end()
        process = BackendProcess(launch)
        answers: queue.Queue[Welcome | RomeError] = queue.Queue()
        threading.Thread(
            target=self._read, args=(process, answers), name="rome-in", daemon=True
        ).start()
        try:
            process.write(Hello(PROTOCOL, self._version))
            answer = answers.get(timeout=HELLO_SECONDS)
        except (OSError, queue.Empty) as error:
            process.kill()
            raise no_start(process.last_words()) from error
        if isinstance(answer, RomeError):
            raise answer
        try:
            check_version(answer, self._version)
        except RomeError:
            process.kill()
            raise
        self.welcome, self._process = answer, process
        return process

    def _read(self, process: BackendProcess, answers: queue.Queue[Welcome | RomeError]) -> None:
        """Hand out what the backend says until it ends, then fail what it still had to do."""
        try:
            while (message := process.read()) is not None:
                if isinstance(message, Welcome):
                    answers.put(message)
                else:
                    self._arrived(message)
        except (OSError, ProtocolError):
            process.kill()
        process.end(0.2)
        process.close()
        answers.put(no_start(process.last_words()))
        if self._process is process:
            self._process = None
        self._fail(lambda request: request.carrier is process, died())

    def _arrived(self, message: Message) -> None:
        request_id = getattr(message, "request_id", 0)
        if isinstance(message, Progress):
            request = self._pending.get(request_id)
            if request is not None:
                request.tell(message)
        elif isinstance(message, Failed):
            self._finish(request_id, BackendFailed(message))
        else:
            self._finish(request_id, message)

    def _finish(self, request_id: int, answer: Message | RomeError) -> None:
        with self._lock:
            self._unconfirmed.discard(request_id)
            request = self._pending.pop(request_id, None)
        if request is not None:
            request.finish(answer)

    def _fail(self, chosen: Callable[[Request], bool], error: RomeError) -> None:
        with self._lock:
            found = [request for request in self._pending.values() if chosen(request)]
            for request in found:
                del self._pending[request.request_id]
        for request in found:
            request.finish(error)

    def _kill_if_stuck(self, request_id: int, process: BackendProcess) -> None:
        if request_id in self._unconfirmed:
            self._unconfirmed.discard(request_id)
            process.kill()


class _Shared:
    """The one client of this Blender, and what was chosen for it."""

    client: Client | None = None
    choice: Callable[[], Choice] = Choice


def choose(choice: Callable[[], Choice]) -> None:
    """Say how to find the backend; asked on the thread that makes a request."""
    _Shared.choice = staticmethod(choice)


def shared() -> Client:
    """Return the one client of this Blender."""
    if _Shared.client is None:
        version = version_in(backend_source())
        _Shared.client = Client(lambda: find_backend(_Shared.choice()), version)
        atexit.register(close_shared)
    return _Shared.client


def close_shared() -> None:
    """End the shared backend, if there is one; the next request starts it again."""
    if _Shared.client is not None:
        _Shared.client.close()
