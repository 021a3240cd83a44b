# SPDX-License-Identifier: Apache-2.0
"""`rome assets`: the model files on this machine.

Does not know how a model file is read.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rome_backend.commands.console import Console
from rome_backend.core.errors import RomeError


def add_parser(subparsers: Any, shared: argparse.ArgumentParser) -> None:
    """Add `assets` to the command line."""
    parser = subparsers.add_parser("assets", help="model files on this machine")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", parents=[shared], help="what is installed").set_defaults(run=_list)
    actions.add_parser(
        "fetch", parents=[shared], help="install the face tracker's files, once"
    ).set_defaults(run=_fetch)
    bring = actions.add_parser(
        "import", parents=[shared], help="install model files you have: files, folders, zips"
    )
    bring.add_argument("path", type=Path, nargs="+", metavar="PATH")
    bring.set_defaults(run=_import)
    actions.add_parser(
        "verify", parents=[shared], help="compare every file with its checksum"
    ).set_defaults(run=_verify)
    remove = actions.add_parser("remove", parents=[shared], help="delete an installed file")
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(run=_remove)


def _list(args: argparse.Namespace, console: Console) -> int:
    from rome_backend.assets.store import AssetStore

    store = AssetStore()
    records = store.list()
    lines = [f"{r.name:34} {r.size / 1e6:7.2f} MB  {r.licence}" for r in records]
    payload = {"folder": str(store.folder), "assets": [asdict(record) for record in records]}
    console.result(payload, lines or ["nothing is installed yet; run: rome assets fetch"])
    return 0


def _fetch(args: argparse.Namespace, console: Console) -> int:
    from rome_backend.assets.mediapipe import ensure_tracker_models

    folder = ensure_tracker_models(console.progress)
    console.result({"folder": str(folder)}, [f"the face tracker's files are in {folder}"])
    return 0


def _import(args: argparse.Namespace, console: Console) -> int:
    from rome_backend.assets.importer import import_paths

    report = import_paths(args.path)
    refused = [{"file": name, "error": error.as_dict()} for name, error in report.refused]
    payload = {
        "imported": [asdict(item) for item in report.imported],
        "refused": refused,
        "skipped": report.skipped,
    }
    lines = [f"imported {i.what} from {i.file} ({i.licence})" for i in report.imported]
    if report.refused:
        for name, error in report.refused[1:]:
            console.say(f"refused {name}: {error.message}")
        first = report.refused[0][1]
        console.error(first, payload)
        return first.exit_code
    console.result(payload, lines or ["no model file was found"])
    return 0


def _verify(args: argparse.Namespace, console: Console) -> int:
    from rome_backend.assets.store import AssetStore

    store = AssetStore()
    states, code = [], 0
    for record in store.list():
        try:
            store.verify(record.name)
            states.append({"name": record.name, "ok": True})
        except RomeError as error:
            states.append({"name": record.name, "ok": False, "error": error.as_dict()})
            code = error.exit_code
    lines = [f"{'ok     ' if state['ok'] else 'damaged'} {state['name']}" for state in states]
    console.result({"assets": states}, lines or ["nothing is installed yet"])
    return code


def _remove(args: argparse.Namespace, console: Console) -> int:
    from rome_backend.assets.store import AssetStore

    AssetStore().remove(args.name)
    console.result({"removed": args.name}, [f"removed {args.name}"])
    return 0
