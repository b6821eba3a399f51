"""The data source aws_iam_policy_document, rendered as the real provider renders it."""

from __future__ import annotations

import json
from typing import Any

from .values import UNKNOWN, has_unknown

_LISTS = {"actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource"}
_PRINCIPALS = {"principals": "Principal", "not_principals": "NotPrincipal"}


def render(config: dict) -> Any:
    """The document as JSON text, or UNKNOWN while something in it is unknown."""
    statements = config.get("statement") or []
    if has_unknown(statements):
        return UNKNOWN
    document = {
        "Version": config.get("version") or "2012-10-17",
        "Statement": [_statement(statement) for statement in statements],
    }
    return json.dumps(document, indent=2)


def _one_or_many(items: list) -> Any:
    return items[0] if len(items) == 1 else sorted(items)


def _statement(config: dict) -> dict:
    statement: dict[str, Any] = {"Sid": config["sid"]} if config.get("sid") else {}
    statement["Effect"] = config.get("effect") or "Allow"
    for argument, key in _LISTS.items():
        if config.get(argument):
            statement[key] = _one_or_many(config[argument])
    for argument, key in _PRINCIPALS.items():
        for principal in config.get(argument) or []:
            _add_principal(statement, key, principal)
    for condition in config.get("condition") or []:
        tests = statement.setdefault("Condition", {}).setdefault(condition["test"], {})
        tests[condition["variable"]] = _one_or_many(condition["values"])
    return statement


def _add_principal(statement: dict, key: str, principal: dict) -> None:
    if principal["type"] == "*":
        statement[key] = "*"
    else:
        statement.setdefault(key, {})[principal["type"]] = _one_or_many(principal["identifiers"])
