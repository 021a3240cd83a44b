# SPDX-License-Identifier: GPL-3.0-or-later
"""Set-up on Linux for the processor and with CUDA: the real pip, two made-up indexes, a made-up uv.

Does not use the network: the indexes are folders, their packages are made here.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from blender_addon.backend import environment, install, packages
from blender_addon.core_access import RomeError

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="the environment is Python 3.11's"
)


def _wheel(folder, name, version, script=""):
    """Write a wheel of one module that says its version; return the file and its SHA-256.

    script: of a program that bears the package's name, "" for none.
    """
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if script:
        files[f"{name}-{version}.data/scripts/{name}"] = f"#!python\n{script}"
    record = "".join(f"{each},,\n" for each in files) + f"{about}/RECORD,,\n"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for each, text in {**files, f"{about}/RECORD": record}.items():
            entry = zipfile.ZipInfo(each)
            entry.external_attr = 0o100755 << 16  # pip keeps whether a file may be run
            file.writestr(entry, text)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def _index(folder, files):
    """Write a package index as pip reads it, and return its address."""
    for file in files:
        page = folder / file.name.split("-")[0] / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text(f'<a href="{file.as_uri()}">{file.name}</a>')
    return folder.as_uri()


@pytest.fixture
def indexes(tmp_path, monkeypatch):
    """Both lists and both indexes; returns the address of PyTorch's own one."""
    torch, torch_sum = _wheel(tmp_path / "files", "torch", "1.0")
    cuda, cuda_sum = _wheel(tmp_path / "files", "cuda", "1.0")
    small, small_sum = _wheel(tmp_path / "files", "torch", "1.0+cpu")
    own = _index(tmp_path / "own", [small])
    uv, uv_sum = _wheel(tmp_path / "files", "uv", "1.0", f"print('    # from {own}')\n")
    lists = {
        "FINDER_LIST": f"uv==1.0 --hash=sha256:{uv_sum}",
        "GENERAL_LIST": f"torch==1.0 --hash=sha256:{torch_sum}\ncuda==1.0 --hash=sha256:{cuda_sum}",
        "LIST": f'torch==1.0+cpu ; sys_platform == "linux" --hash=sha256:{small_sum}',
    }
    for name, text in lists.items():
        path = tmp_path / f"{name}.txt"
        path.write_text(text + "\n")
        monkeypatch.setattr(packages, name, path)
    for name in [each for each in os.environ if each.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", _index(tmp_path / "general", [torch, cuda, uv]))
    return own


def _options(tmp_path, torch_index, with_cuda=False):
    source = tmp_path / "source" / "rome_backend"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text('__version__ = "9.9"\n')
    base = Path(sys.base_prefix, "python.exe" if os.name == "nt" else "bin/python3.11")
    return install.Options(
        folder=tmp_path / "data",
        online=True,
        torch_index=torch_index,
        with_cuda=with_cuda,
        commands=((str(base),), (sys.executable,)),
        list_path=packages.list_for("linux", with_cuda),
        source=source,
        check="import rome_backend, torch; print(torch.VERSION)",
    )


@pytest.mark.parametrize(("with_cuda", "given"), [(True, False), (False, True), (False, False)])
def test_the_processor_s_build_comes_unless_cuda_is_asked_for(tmp_path, indexes, with_cuda, given):
    """Its index is the one given, or the one that uv names; uv itself does not stay."""
    options = _options(tmp_path, indexes if given else "", with_cuda)
    made = install.set_up(options, lambda *said: None, threading.Event())
    site = environment.site_packages(made)
    version = "1.0" if with_cuda else "1.0+cpu"
    assert (site / "torch.py").read_text() == f"VERSION = {version!r}\n"
    assert (site / "cuda.py").is_file() is with_cuda
    assert not list(made.rglob("uv*"))
    texts = [path.read_text("utf-8") for path in (packages.LIST, packages.GENERAL_LIST)]
    assert environment.state_of(options.folder, "9.9", *texts) is environment.State.READY


def test_an_address_that_lacks_the_processor_s_build_is_named(tmp_path, indexes):
    """The general list is not taken in secret where an address was given."""
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(RomeError) as caught:
        install.set_up(_options(tmp_path, empty.as_uri()), lambda *s: None, threading.Event())
    assert caught.value.code == "torch_index_missing"
