# SPDX-License-Identifier: Apache-2.0
"""The one error tree: each error has a stable code, one sentence and a next step.

Does not know who shows it: processes, operators and jobs catch it at their boundary.
"""

from __future__ import annotations

from collections.abc import Callable


class RomeError(Exception):
    """Base of every error the project raises on purpose.

    Args:
        code: stable identifier in snake_case, for machines and tests.
        message: one sentence saying what is wrong.
        hint: one sentence saying what to do next.
    """

    exit_code = 1

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.code = code
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Callable[..., RomeError], tuple[type[RomeError], str, str, str]]:
        """Say how other processes make the same error again, whatever its class takes."""
        return _restored, (type(self), self.code, self.message, self.hint)

    def as_dict(self) -> dict[str, str]:
        """Return ``{"code", "message", "hint"}`` for JSON results and messages."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


def _restored(kind: type[RomeError], code: str, message: str, hint: str) -> RomeError:
    error = kind.__new__(kind)
    RomeError.__init__(error, code, message, hint)
    return error


class UsageError(RomeError):
    """The command or call makes no sense as given (exit code 2)."""

    exit_code = 2


class PhotoRefused(RomeError):
    """A photo or clip that cannot become a head (exit code 3)."""

    exit_code = 3


class AssetMissing(RomeError):
    """A model file that the work needs is not installed (exit code 4)."""

    exit_code = 4


class OutOfResources(RomeError):
    """Memory or disk ran out (exit code 5)."""

    exit_code = 5


class Cancelled(RomeError):
    """The user cancelled; nothing was written (exit code 130)."""

    exit_code = 130

    def __init__(self, message: str = "Cancelled; nothing was written.") -> None:
        super().__init__("cancelled", message, "Run it again when you are ready.")


class FileInvalid(RomeError):
    """A file of ours is damaged, of another version, or not what it claims to be."""


class ProtocolError(RomeError):
    """What came through the pipe between Blender and the backend is not a message of ours."""
