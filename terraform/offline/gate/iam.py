"""Rendered IAM policies against the table of all IAM actions that cfn-lint carries."""

from __future__ import annotations

import fnmatch
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cfnlint

from .finding import Check, Finding
from .state import State, many, policies

# Resource policies name their own resource as "*", and a key policy gives its account everything.
_KEY_POLICY = "aws_kms_key"


class Use(NamedTuple):
    """One action of one statement."""

    subject: str
    action: str
    statement: dict
    is_trust: bool
    is_key_policy: bool


def unknown_actions(state: State) -> Iterator[Finding]:
    """Actions that IAM does not know."""
    for use in _uses(state):
        if not _known(use.action):
            yield Finding(use.subject, f"IAM has no action {use.action}")


def wildcard_actions(state: State) -> Iterator[Finding]:
    """Actions with a wildcard, outside key policies."""
    for use in _uses(state):
        if "*" in use.action and not use.is_key_policy:
            yield Finding(use.subject, f"{use.action} is a wildcard; write the actions out")


def wildcard_resources(state: State) -> Iterator[Finding]:
    """Allowed actions on "*" although the action can be limited to resources."""
    for use in _uses(state):
        is_open = many(use.statement.get("Resource")) == ["*"] and use.statement["Effect"] == "Allow"
        if is_open and not use.is_key_policy and not use.is_trust and any(_formats(use.action)):
            yield Finding(use.subject, f"{use.action} can be limited to resources, but its resource is *")


def resource_kinds(state: State) -> Iterator[Finding]:
    """Actions on a resource of a kind that the action does not work on."""
    for use in _uses(state):
        if use.is_trust or not _known(use.action):
            continue
        formats = _formats(use.action)
        for resource in many(use.statement.get("Resource")):
            if resource == "*":
                continue
            if not formats:
                yield Finding(use.subject, f"{use.action} has no resource level; it needs *")
            elif not any(pattern.fullmatch(resource) for pattern in formats):
                yield Finding(use.subject, f"{use.action} does not work on {resource}")


def _uses(state: State) -> Iterator[Use]:
    for resource, attribute, policy in policies(state):
        for statement in policy.statements:
            for action in many(statement.get("Action")):
                yield Use(
                    resource.address,
                    action,
                    statement,
                    attribute == "assume_role_policy",
                    resource.type == _KEY_POLICY,
                )


@functools.cache
def _services() -> dict:
    path = Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "Policies.json"
    return {name.lower(): body for name, body in json.loads(path.read_text()).items()}


@functools.cache
def _known(action: str) -> tuple[str, ...]:
    """The actions that this action or pattern stands for, in the table's own spelling (lower case)."""
    service, _, name = action.lower().partition(":")
    actions = _services().get(service, {}).get("Actions", {})
    return tuple(known for known in actions if fnmatch.fnmatch(known.lower(), name))


@functools.cache
def _formats(action: str) -> tuple[re.Pattern[str], ...]:
    """Patterns of the ARNs that the action works on; empty when it has no resource level."""
    service = _services().get(action.lower().partition(":")[0], {})
    kinds = {kind for known in _known(action) for kind in service["Actions"][known].get("Resources", [])}
    return tuple(_pattern(form) for kind in sorted(kinds) for form in service["Resources"][kind.lower()]["ARNFormats"])


def _pattern(form: str) -> re.Pattern[str]:
    fixed = {"Partition": "[^:]+", "Region": "[^:]*", "Account": "[^:]*"}
    parts = re.split(r"\$\{(\w+)\}", form)
    text = "".join(
        fixed.get(part, ".+") if index % 2 else re.escape(part).replace(r"\.\*", ".+")
        for index, part in enumerate(parts)
    )
    return re.compile(text)


CHECKS: dict[str, Check] = {
    "iam: actions exist": unknown_actions,
    "iam: actions are written out": wildcard_actions,
    "iam: resources are limited": wildcard_resources,
    "iam: resources fit their actions": resource_kinds,
}
