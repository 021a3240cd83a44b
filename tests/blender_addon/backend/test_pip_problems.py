# SPDX-License-Identifier: GPL-3.0-or-later
"""What pip says becomes a code, a sentence and a next step; the texts are pip's own."""

from __future__ import annotations

import pytest

from blender_addon.backend.pip_problems import explain

SAID = {
    "disk_full": "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on "
    "device",
    "package_changed": "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. "
    "If you have updated the package versions, please update the hashes.",
    "network_untrusted": "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] "
    "certificate verify failed: unable to get local issuer certificate'))\n"
    "ERROR: No matching distribution found for numpy==2.4.6",
    "network_failed": "WARNING: Retrying (Retry(total=0)) after connection broken by "
    "'NewConnectionError('<x>: Failed to establish a new connection: [Errno -3] Temporary failure "
    "in name resolution')': /numpy/\nERROR: No matching distribution found for numpy==2.4.6",
    "torch_index_missing": "ERROR: Could not find a version that satisfies the requirement "
    "torch==2.13.0+cpu (from versions: 2.12.0, 2.13.0)\n"
    "ERROR: No matching distribution found for torch==2.13.0+cpu",
    "pip_failed": "ERROR: No matching distribution found for numpy==2.4.6",
}


@pytest.mark.parametrize("code", SAID)
def test_each_cause_has_its_code_and_a_next_step(code):
    error = explain(["Collecting numpy==2.4.6", *SAID[code].splitlines(), ""])
    assert error.code == code
    assert error.message.endswith(".") and error.hint.endswith(".")


def test_the_next_step_for_torch_names_the_field():
    error = explain(SAID["torch_index_missing"].splitlines())
    assert "PyTorch Index" in error.hint


def test_a_missing_torch_elsewhere_is_no_matter_of_its_index():
    assert explain(["ERROR: No matching distribution found for torch==2.13.0"]).code == "pip_failed"


def test_what_is_not_known_is_quoted():
    error = explain(["Collecting a", "ERROR: Something new.", "more about it"])
    assert error.message == "Installing packages failed: Something new."
    assert "it said nothing" in explain([]).message
    assert len(explain(["ERROR: " + "long " * 1000]).message) < 400
