# SPDX-License-Identifier: Apache-2.0
"""The program that writes the add-on's list of packages, with answers of pip made up here."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

PYPROJECT = """
[build-system]
requires = ["setuptools==84.2.1"]
[project]
dependencies = ["torch==2.13.0", "pillow==13.0.0", "bpy==4.2.23; sys_platform != 'linux'"]
"""


@pytest.fixture(scope="module")
def lock(root: Path) -> ModuleType:
    """The program as a module."""
    spec = importlib.util.spec_from_file_location("lock_backend", root / "tools/lock_backend.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _pip(asked: list[list[str]], scheme: str = "https"):
    """A pip that knows one file per platform and package."""

    def ask(arguments: list[str]) -> list[tuple[str, str, str, str]]:
        asked.append(arguments)
        platform = arguments[arguments.index("--platform") + 1]
        found = []
        for requirement in (each for each in arguments if "==" in each):
            name, _, version = requirement.partition("==")
            digest = f"{name}{platform}".encode().hex()[:64].ljust(64, "0")
            found.append((name, version, f"{scheme}://host/{name}.whl", digest))
        return found

    return ask


def test_blender_and_the_benches_are_left_out(lock: ModuleType) -> None:
    assert lock.direct_requirements(PYPROJECT) == ["torch==2.13.0", "pillow==13.0.0"]


def test_setuptools_is_pinned_as_we_build_with_it(lock: ModuleType) -> None:
    found = lock.pins("Jinja2==3.1.6\ntyping_extensions==4.16.0\n", PYPROJECT)
    assert found == {"jinja2": "3.1.6", "typing-extensions": "4.16.0", "setuptools": "84.2.1"}


def test_the_closure_follows_the_installed_packages(lock: ModuleType) -> None:
    versions = {"pygltflib": "1", "dataclasses-json": "2", "deprecated": "3", "wrapt": "4"}
    versions |= {"marshmallow": "5", "typing-inspect": "6", "packaging": "7"}
    versions |= {"mypy-extensions": "8", "typing-extensions": "9", "pytest": "10"}
    found = lock.closure(["pygltflib==1.16.5"], versions)
    assert found == {name: version for name, version in versions.items() if name != "pytest"}
    with pytest.raises(lock.Problem, match="wrapt"):
        lock.closure(["pygltflib"], {k: v for k, v in versions.items() if k != "wrapt"})


def test_every_platform_is_asked_and_torch_on_linux_is_the_processor_s(lock: ModuleType) -> None:
    asked: list[list[str]] = []
    found = lock.published_hashes({"pillow": "13.0.0", "torch": "2.13.0"}, _pip(asked))
    assert len(asked) == len(lock.PLATFORMS) == 4
    assert len(found["pillow==13.0.0"]) == 4 and len(found["torch==2.13.0"]) == 2
    assert found["torch==2.13.0+cpu"] == set(lock.TORCH_CPU.values())


def test_with_its_index_torch_is_asked_for_there_and_only_torch(lock: ModuleType) -> None:
    asked: list[list[str]] = []
    lock.published_hashes({"torch": "2.13.0", "scipy": "1"}, _pip(asked), "https://example.org")
    there = [each for each in asked if "--index-url" in each]
    assert len(there) == 2
    assert all("torch==2.13.0+cpu" in each and "scipy==1" not in each for each in there)


def test_the_finder_is_hashed_for_every_linux_and_published(lock: ModuleType) -> None:
    asked: list[list[str]] = []
    found = lock.finder_hashes(_pip(asked))
    assert list(found) == [f"uv=={lock.FINDER['uv']}"]
    assert len(asked) == len(lock.TORCH_CPU) and len(found[f"uv=={lock.FINDER['uv']}"]) == 2
    with pytest.raises(lock.Problem, match="uv"):
        lock.finder_hashes(_pip([], scheme="file"))


def test_linux_without_that_index_gets_what_pip_finds_for_torch(lock: ModuleType) -> None:
    asked: list[list[str]] = []
    pip = _pip(asked)

    def with_cuda(arguments: list[str]) -> list[tuple[str, str, str, str]]:
        return pip([*arguments, "nvidia-cublas==13.1"])

    found = lock.general_hashes({"pillow": "13.0.0", "torch": "2.13.0"}, with_cuda)
    assert set(found) == {"pillow==13.0.0", "torch==2.13.0", "nvidia-cublas==13.1"}
    assert all(len(digests) == 2 for digests in found.values())
    assert not any("--no-deps" in each or "--index-url" in each for each in asked)
    machines = [each[each.index("--platform") + 1].rpartition("28_")[2] for each in asked]
    assert machines == ["x86_64", "aarch64"]
    text = lock.text_of(found, lock.TORCH_CPU)
    assert text.splitlines()[3] == "torch==2.13.0 \\" and "sys_platform" not in text


def test_what_only_one_linux_needs_cannot_be_listed(lock: ModuleType) -> None:
    pip = _pip([])

    def uneven(arguments: list[str]) -> list[tuple[str, str, str, str]]:
        more = ["nvidia-cufile==1.15"] if any("x86_64" in each for each in arguments) else []
        return pip([*arguments, *more])

    with pytest.raises(lock.Problem, match="nvidia-cufile==1.15 is not there for every Linux"):
        lock.general_hashes({"torch": "2.13.0"}, uneven)
    with pytest.raises(lock.Problem, match="published"):
        lock.general_hashes({"torch": "2.13.0"}, _pip([], scheme="file"))
    with pytest.raises(lock.Problem, match="torch==2.13.0 is not there"):
        lock.general_hashes({"torch": "2.13.0"}, lambda arguments: [])


def test_a_file_of_this_machine_is_not_a_published_one(lock: ModuleType) -> None:
    with pytest.raises(lock.Problem, match="published"):
        lock.published_hashes({"pillow": "13.0.0"}, _pip([], scheme="file"))


def test_a_missing_file_is_noticed(lock: ModuleType) -> None:
    with pytest.raises(lock.Problem, match="files for 2 packages"):
        lock.published_hashes({"pillow": "13", "torch": "2"}, lambda arguments: [])


def test_the_same_answers_give_the_same_bytes(lock: ModuleType) -> None:
    hashes = {"b==1": {"22", "11"}, "torch==2+cpu": {"33"}, "torch==2": {"44"}}
    text = lock.text_of(hashes)
    assert text == lock.text_of(dict(reversed(hashes.items())))
    assert text.index("torch==2 ") < text.index("torch==2+cpu") < text.index("b==1")
    assert "b==1 \\\n    --hash=sha256:11 \\\n    --hash=sha256:22\n" in text
    assert 'torch==2+cpu ; sys_platform == "linux" \\\n' in text
    assert 'torch==2 ; sys_platform != "linux" \\\n' in text


def test_the_committed_list_is_what_it_would_write(lock: ModuleType) -> None:
    """All but the hashes, which only pip knows: names, versions, markers, order, header."""
    text = lock.LIST.read_text("utf-8")
    pyproject = (lock.ROOT / "pyproject.toml").read_text("utf-8")
    versions = lock.pins((lock.ROOT / "requirements.lock").read_text("utf-8"), pyproject)
    packages = lock.closure(lock.direct_requirements(pyproject), versions)
    found = lock.published_hashes(packages, _pip([]))
    digests = iter(line.split(":")[1][:64] for line in text.splitlines() if "--hash" in line)
    lines = lock.text_of(found).splitlines()
    names = [line for line in lines if "--hash" not in line]
    assert [line for line in text.splitlines() if "--hash" not in line] == names
    assert all(len(digest) == 64 for digest in digests)
