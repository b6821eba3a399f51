"""Argument rules beyond the schema: allowed values, ranges, JSON syntax, conflicts and table keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import values

_JSON_ARGUMENTS = {
    "assume_role_policy",
    "definition",
    "event_pattern",
    "filter_policy",
    "pattern",
    "policy",
    "policy_document",
    "redrive_allow_policy",
    "redrive_policy",
}

# Called like the others, in a language of its own.
_NO_JSON = {("aws_cloudwatch_log_metric_filter", "pattern")}

Problem = tuple[str, str]


class Rules:
    """The rules of one provider."""

    def __init__(self, path: Path, extra: dict) -> None:
        recorded = json.loads(path.read_text())
        self._attributes: dict = recorded["attributes"] | extra
        self._conflicts: dict = recorded["conflicts"]
        self._one_of: dict = recorded["one_of"]
        self._requires: dict = recorded["requires"]

    def problems(self, resource_type: str, block: dict, value: dict) -> Iterator[Problem]:
        """Yields (path, text) of each known value that breaks a rule."""
        rules = self._attributes.get(resource_type, {})
        for path, name, item in values.attributes(block, value):
            if name in _JSON_ARGUMENTS and (resource_type, name) not in _NO_JSON:
                yield from _json_problem(path, item)
            yield from _range_problem(path, item, rules.get(path, {}))
        yield from self._combination_problems(resource_type, value)
        if resource_type == "aws_dynamodb_table":
            yield from _table_key_problems(value)

    def _combination_problems(self, resource_type: str, value: dict) -> Iterator[Problem]:
        def is_set(name: str) -> bool:
            return value.get(name) not in (None, [], {}, False)

        def is_known(name: str) -> bool:
            return is_set(name) and value[name] is not values.UNKNOWN

        for first, *others in self._conflicts.get(resource_type, []):
            if is_known(first) and all(is_known(name) for name in others):
                yield first, f"conflicts with {', '.join(others)}"
        for names in self._one_of.get(resource_type, []):
            if not any(is_set(name) for name in names):
                yield names[0], f"one of {', '.join(names)} is required"
        for name, needed in self._requires.get(resource_type, []):
            if is_set(name) and not is_set(needed):
                yield name, f"needs {needed} too"


def _json_problem(path: str, item: Any) -> Iterator[Problem]:
    if isinstance(item, str) and item.strip():
        try:
            json.loads(item)
        except ValueError as error:
            yield path, f"not valid JSON: {error}"


def _range_problem(path: str, item: Any, rule: dict) -> Iterator[Problem]:
    for one in item if isinstance(item, list) else [item]:
        if one is None or one is values.UNKNOWN:
            continue
        if "enum" in rule and one not in rule["enum"]:
            yield path, f"{one!r} is not one of {', '.join(map(str, rule['enum']))}"
        if "min" in rule and one < rule["min"]:
            yield path, f"{one} is below {rule['min']}"
        if "max" in rule and one > rule["max"]:
            yield path, f"{one} is above {rule['max']}"


def _table_key_problems(value: dict) -> Iterator[Problem]:
    declared = {item["name"] for item in value.get("attribute") or [] if isinstance(item, dict)}
    used = {value.get("hash_key"), value.get("range_key")}
    for index in value.get("global_secondary_index") or []:
        if isinstance(index, dict):
            used |= {index.get("hash_key"), index.get("range_key")}
    if values.UNKNOWN in declared:
        return
    used_names = {key for key in used if isinstance(key, str)}
    for key in sorted(used_names - declared):
        yield "attribute", f"key {key!r} has no attribute block"
    for key in sorted(declared - used_names):
        yield "attribute", f"attribute {key!r} is no key of the table or of an index"
