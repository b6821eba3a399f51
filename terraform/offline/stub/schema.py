"""Reads a provider's schema, recorded or written by hand, and turns it into the message that Terraform asks for.

A recorded schema (`*.json.gz`) has the shape of `terraform providers schema -json`, one provider per file.
A hand-written one (`*.json`) is compact: an attribute is "type flags", where flags are required, optional, computed,
sensitive and one_of=A,B; a block is "name[]" (any number), "name[1]" (at most one) or "name[1!]" (exactly one).
"""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path
from typing import Any

from tf.gen import tfplugin_pb2 as pb

_NESTING = {"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}
_BLOCK_NAME = re.compile(r"(?P<name>\w+)\[(?P<count>1?)(?P<must>!?)\]")
_COLLECTION = re.compile(r"(?P<kind>list|set|map)\((?P<element>\w+)\)")
_WRITE_ONLY = b"\x58\x01"  # field 11 = true; newer than the bundled message definition


def load(path: Path) -> dict:
    """Reads a schema file of either form. The result also has `rules`: resource type -> path -> {"enum": [...]}."""
    if path.suffix == ".gz":
        return json.loads(gzip.decompress(path.read_bytes())) | {"rules": {}}
    return _expand(json.loads(path.read_text()))


def message(path: Path, cache: Path) -> bytes:
    """The serialised GetProviderSchema response, from the cache file when it is there."""
    if not cache.exists():
        temporary = cache.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(_response(load(path)).SerializeToString())
        temporary.replace(cache)
    return cache.read_bytes()


def _expand(compact: dict) -> dict:
    rules: dict[str, dict] = {}
    resources = {}
    for name, body in compact["resources"].items():
        rules[name] = {}
        resources[name] = {"version": 0, "block": _expand_block(body, rules[name], "")}
    return {
        "provider": {"version": 0, "block": _expand_block(compact["provider"], {}, "")},
        "resource_schemas": resources,
        "data_source_schemas": {},
        "rules": rules,
    }


def _expand_block(body: dict, rules: dict, path: str) -> dict:
    attributes, block_types = {}, {}
    for key, value in body.items():
        if isinstance(value, str):
            attributes[key] = _expand_attribute(value, rules, path + key)
            continue
        match = _BLOCK_NAME.fullmatch(key)
        if match is None:
            raise ValueError(f"{path}{key} is neither an attribute nor a block")
        name = match["name"]
        block_types[name] = {
            "nesting_mode": "list",
            "min_items": 1 if match["must"] else 0,
            "max_items": 1 if match["count"] else 0,
            "block": _expand_block(value, rules, f"{path}{name}."),
        }
    return {"attributes": attributes, "block_types": block_types}


def _expand_attribute(text: str, rules: dict, path: str) -> dict:
    kind, *flags = text.split()
    match = _COLLECTION.fullmatch(kind)
    attribute: dict[str, Any] = {"type": [match["kind"], match["element"]] if match else kind}
    for flag in flags:
        if flag.startswith("one_of="):
            rules[path] = {"enum": flag.removeprefix("one_of=").split(",")}
        else:
            attribute[flag] = True
    return attribute


def _response(schema: dict) -> pb.GetProviderSchema.Response:
    response = pb.GetProviderSchema.Response()
    response.provider.CopyFrom(_schema(schema["provider"]))
    for name, body in schema["resource_schemas"].items():
        response.resource_schemas[name].CopyFrom(_schema(body))
    for name, body in schema["data_source_schemas"].items():
        response.data_source_schemas[name].CopyFrom(_schema(body))
    response.server_capabilities.plan_destroy = True
    response.server_capabilities.get_provider_schema_optional = True
    return response


def _schema(body: dict) -> pb.Schema:
    return pb.Schema(version=body.get("version", 0), block=_block(body["block"]))


def _block(body: dict) -> pb.Schema.Block:
    block = pb.Schema.Block()
    for name, attribute in sorted(body.get("attributes", {}).items()):
        block.attributes.append(_attribute(name, attribute))
    for name, block_type in sorted(body.get("block_types", {}).items()):
        block.block_types.append(
            pb.Schema.NestedBlock(
                type_name=name,
                nesting=_NESTING[block_type["nesting_mode"]],
                min_items=block_type.get("min_items") or 0,
                max_items=block_type.get("max_items") or 0,
                block=_block(block_type["block"]),
            )
        )
    return block


def _attribute(name: str, body: dict) -> pb.Schema.Attribute:
    attribute = pb.Schema.Attribute(
        name=name,
        type=json.dumps(body["type"]).encode(),
        required=body.get("required", False),
        optional=body.get("optional", False),
        computed=body.get("computed", False),
        sensitive=body.get("sensitive", False),
    )
    if body.get("write_only"):
        attribute.MergeFromString(_WRITE_ONLY)
    return attribute
