# SPDX-License-Identifier: Apache-2.0
"""Which weights of ROME's released networks are installed, as avatars name them.

Does not know the networks, and loads nothing, so that a backend can say it in its first message.
"""

from __future__ import annotations

from rome_backend.assets.store import AssetStore

ROME_NETWORKS = "rome"
ID_DIGITS = 16


def installed_weights(store: AssetStore) -> str:
    """Return the start of the SHA-256 of the installed rome.pth, "" where there is none.

    FileInvalid where a record of what is installed is damaged.
    """
    sums = {record.name: record.sha256 for record in store.list()}
    return sums.get(ROME_NETWORKS, "")[:ID_DIGITS]
