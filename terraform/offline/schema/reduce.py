"""Reduces a full recorded provider schema to the resource and data types that a folder uses.

Usage: reduce.py FULL.json.gz OUT.json.gz FOLDER   (run again when a *.tf file starts to use a new type)
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

_BLOCK = re.compile(r'^(resource|data)\s+"(\w+)"', re.MULTILINE)
_KINDS = {"resource": "resource_schemas", "data": "data_source_schemas"}


def used_types(folder: Path) -> dict[str, set[str]]:
    """The types that the *.tf files name, by kind of schema."""
    used: dict[str, set[str]] = {kind: set() for kind in _KINDS.values()}
    for path in folder.rglob("*.tf"):
        for kind, name in _BLOCK.findall(path.read_text()):
            used[_KINDS[kind]].add(name)
    return used


def reduce(full: dict, used: dict[str, set[str]]) -> dict:
    """The schema with only the used types; fails when one is not in the full schema."""
    reduced = {key: full[key] for key in ("source", "provider_version", "provider")}
    for kind, names in used.items():
        reduced[kind] = {name: full[kind][name] for name in sorted(names)}
    return reduced


def main() -> None:
    source, target, folder = (Path(argument) for argument in sys.argv[1:4])
    full = json.loads(gzip.decompress(source.read_bytes()))
    text = json.dumps(reduce(full, used_types(folder)), separators=(",", ":"), sort_keys=True)
    target.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
