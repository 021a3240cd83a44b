# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns what pip said when it failed into one sentence and a next step.

Does not run pip, nor know bpy.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..core_access import OutOfResources, RomeError

_NO_ROOM = ("no space left on device", "[errno 28]", "not enough space on the disk")
_NO_NETWORK = (
    "newconnectionerror", "failed to establish a new connection", "name resolution",
    "getaddrinfo failed", "nodename nor servname", "readtimeouterror", "connecttimeouterror",
    "connection timed out", "proxyerror", "network is unreachable", "connection refused",
)  # fmt: skip
_UNTRUSTED = ("certificate_verify_failed", "sslerror", "ssl: ")
_CHANGED = ("do not match the hashes", "hash mismatch")
_NOT_FOUND = "no matching distribution found for "


def explain(lines: Sequence[str]) -> RomeError:
    """Return the error for pip's last lines; its code is stable, its message names the cause."""
    text = "\n".join(lines).lower()
    if any(mark in text for mark in _NO_ROOM):
        return disk_full("The disk is full.")
    if any(mark in text for mark in _CHANGED):
        return RomeError(
            "package_changed",
            "A package is not the file that this version was made with; it was not installed.",
            "Look into the log to see which one, and report it.",
        )
    if any(mark in text for mark in _UNTRUSTED):
        return RomeError(
            "network_untrusted",
            "The package server's certificate could not be verified.",
            "Behind a company's proxy, set PIP_CERT to its certificate before starting Blender.",
        )
    if any(mark in text for mark in _NO_NETWORK):
        return RomeError(
            "network_failed",
            "The package server could not be reached.",
            "Check the connection (and PIP_PROXY behind a proxy), then press Set Up again.",
        )
    if f"{_NOT_FOUND}torch==" in text and "+cpu" in text.split(f"{_NOT_FOUND}torch==")[1][:20]:
        return RomeError(
            "torch_index_missing",
            "PyTorch's CPU build for Linux was not found: it has a package index of its own.",
            "Paste that index's address, which PyTorch's Get Started page shows for Linux, Pip "
            "and CPU, into PyTorch Index (or empty it: Set Up looks for it), and press Set Up.",
        )
    return RomeError("pip_failed", _last_error(lines), "Look into the log, or press Repair.")


def disk_full(message: str) -> OutOfResources:
    """Return the error for too little room."""
    return OutOfResources("disk_full", message, "Make room and press Set Up again.")


def _last_error(lines: Sequence[str]) -> str:
    said = [line.strip() for line in lines if line.strip()]
    errors = [line for line in said if line.lower().startswith("error")]
    words = (errors or said or ["it said nothing"])[-1].removeprefix("ERROR: ").rstrip(".")
    return f"Installing packages failed: {words[:300]}."
