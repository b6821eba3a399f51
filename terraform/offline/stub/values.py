"""Values on Terraform's wire: decoding, encoding, the unknown value, and walking a value along its schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgpack


class _Unknown:
    """The value that Terraform shows as "known after apply"."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()
_UNKNOWN_WIRE = msgpack.ExtType(0, b"\x00")

Visit = Callable[[str, dict, Any, dict], Any]


def decode(value: Any) -> Any:
    """Reads a DynamicValue message."""
    if value.msgpack:
        return msgpack.unpackb(value.msgpack, ext_hook=lambda _code, _data: UNKNOWN, raw=False, strict_map_key=False)
    return json.loads(value.json) if value.json else None


def encode(value: Any) -> bytes:
    """Writes the msgpack bytes of a DynamicValue message."""
    return msgpack.packb(value, default=lambda item: _UNKNOWN_WIRE if item is UNKNOWN else item)


def has_unknown(value: Any) -> bool:
    """Whether the value, or anything in it, is not known yet."""
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value is UNKNOWN


def nested(block_type: dict, value: Any) -> list:
    """The nested blocks that stand in the value of one block type."""
    if value is None or value is UNKNOWN:
        return []
    if block_type["nesting_mode"] in ("list", "set"):
        return list(value)
    if block_type["nesting_mode"] == "map":
        return list(value.values())
    return [value]


def rewrite(block: dict, value: Any, visit: Visit) -> Any:
    """Copies a value, replacing each attribute by what visit(name, attribute, value, parent) returns."""
    if not isinstance(value, dict):
        return value
    copy = dict(value)
    for name, attribute in block.get("attributes", {}).items():
        copy[name] = visit(name, attribute, value.get(name), value)
    for name, block_type in block.get("block_types", {}).items():
        copy[name] = _rewrite_nested(block_type, value.get(name), visit)
    return copy


def _rewrite_nested(block_type: dict, value: Any, visit: Visit) -> Any:
    if value is None or value is UNKNOWN:
        return value
    inner = block_type["block"]
    if block_type["nesting_mode"] in ("list", "set"):
        return [rewrite(inner, item, visit) for item in value]
    if block_type["nesting_mode"] == "map":
        return {key: rewrite(inner, item, visit) for key, item in value.items()}
    return rewrite(inner, value, visit)


def attributes(block: dict, value: dict, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yields (path, name, value) of each attribute that is set and known, through nested blocks."""
    for name in block.get("attributes", {}):
        if value.get(name) is not None and value.get(name) is not UNKNOWN:
            yield path + name, name, value[name]
    for name, block_type in block.get("block_types", {}).items():
        for item in nested(block_type, value.get(name)):
            if isinstance(item, dict):
                yield from attributes(block_type["block"], item, f"{path}{name}.")
