# SPDX-License-Identifier: Apache-2.0
"""What computes: the torch device behind a person's choice of auto, cpu or cuda.

Does not know what is computed.
"""

from __future__ import annotations

import torch

from rome_backend.core.errors import RomeError

DEVICES = ("auto", "cpu", "cuda")


def torch_device(choice: str) -> torch.device:
    """Return the device of a choice; auto is a CUDA device where PyTorch can use one.

    Raises RomeError 'device_missing' for cuda where there is none, ValueError for a choice that
    is not of DEVICES.
    """
    if choice not in DEVICES:
        raise ValueError(f"{choice!r} is no device")
    if choice == "cpu" or (choice == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise RomeError(
            "device_missing",
            "PyTorch finds no CUDA device on this machine.",
            "Choose auto or cpu, or use a Python whose PyTorch is built for your graphics card.",
        )
    return torch.device("cuda")
