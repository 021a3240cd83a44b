# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports are one sentence and a next step, and never hold a photo's path."""

from __future__ import annotations

from pathlib import Path

import pytest

from blender_addon.core_access import RomeError
from blender_addon.report import Report, report_of, report_text, without_paths


def test_an_error_becomes_a_sentence_and_a_next_step():
    report = report_of(RomeError("no_face", "There is no face.", "Choose another photo."))
    assert report == Report("no_face", "There is no face.", "Choose another photo.")
    assert report.sentence() == "There is no face. Choose another photo."


def test_an_error_without_a_next_step_gets_one():
    assert "ready" in report_of(RomeError("cancelled", "Cancelled.")).hint


def test_the_text_names_code_versions_and_system():
    text = report_text(Report("no_face", "No face.", "Try."), {"Blender": "4.2.1"})
    assert text.startswith("ROME report: no_face\nNo face.\nTry.\n")
    assert "Blender: 4.2.1" in text and "System: " in text and text.endswith("\n")


@pytest.mark.parametrize(
    "leak",
    [
        "/home/ada/Pictures/me and my dog.jpg",
        "me and my dog.jpg",
        "me and my dog",
        "/home/ada/Pictures",
        "/home/ada/Pictures/other.png",
    ],
)
def test_nothing_of_a_photo_s_path_is_left(leak):
    photo = "/home/ada/Pictures/me and my dog.jpg"
    text = without_paths(f"The file {leak} cannot be read ('{leak}').", [photo])
    assert "dog" not in text and "ada" not in text and "Pictures" not in text
    assert text.startswith("The file <photo>")


def test_the_user_s_folder_is_a_tilde():
    text = without_paths(f"log at {Path.home()}/rome/backend.log", [])
    assert text == "log at ~/rome/backend.log"


def test_words_that_only_look_like_a_photo_s_name_stay():
    """A photo called a.jpg must not eat every letter a."""
    assert without_paths("a face and an ear", ["/tmp/x/and.jpg"]) == "a face <photo> an ear"
    assert without_paths("a sandwich", ["/tmp/x/and.jpg"]) == "a sandwich"
