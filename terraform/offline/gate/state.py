"""Reading a rendered state: its resources, and the policies that stand in them."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Resource:
    """One managed resource of the state."""

    address: str
    type: str
    values: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    def block(self, name: str) -> dict[str, Any]:
        """The single nested block of this name, or an empty one."""
        blocks = self.values.get(name) or [{}]
        return blocks[0]


class State:
    """The managed resources of `terraform show -json`."""

    def __init__(self, document: dict) -> None:
        self.resources = list(_resources(document["values"]["root_module"]))

    def of(self, type_name: str) -> list[Resource]:
        """All resources of one type."""
        return [resource for resource in self.resources if resource.type == type_name]

    def find(self, type_name: str, **arguments: Any) -> Resource | None:
        """The first resource of a type with these arguments."""
        for resource in self.of(type_name):
            if all(resource[name] == value for name, value in arguments.items()):
                return resource
        return None

    def queue_policy(self, queue: Resource) -> Policy:
        """Who may send to a queue."""
        policy = self.find("aws_sqs_queue_policy", queue_url=queue["url"])
        return Policy.parse(policy["policy"] if policy else None)

    def function_behind(self, alias_arn: str) -> Resource | None:
        """The function of an alias."""
        alias = self.find("aws_lambda_alias", arn=alias_arn)
        return self.find("aws_lambda_function", function_name=alias["function_name"]) if alias else None

    def role_policy(self, role_arn: str | None) -> Policy:
        """What the inline policies of a role say, together."""
        role = self.find("aws_iam_role", arn=role_arn)
        statements: list[dict] = []
        if role is not None:
            for policy in self.of("aws_iam_role_policy"):
                if policy["role"] == role["name"]:
                    statements += Policy.parse(policy["policy"]).statements
        return Policy(statements)


@dataclass(frozen=True)
class Policy:
    """Statements of one or more policy documents."""

    statements: list[dict]

    @classmethod
    def parse(cls, text: str | None) -> Policy:
        """Reads a policy document; no text is no statement."""
        return cls(many(json.loads(text)["Statement"]) if text else [])

    def allows(self, action: str, resource: str, service: str = "", source_arn: str = "") -> bool:
        """Whether the action on the resource is allowed, for a service principal when one is given."""
        matching = [s for s in self.statements if _matches(s, "Action", action) and _matches(s, "Resource", resource)]
        if service:
            matching = [s for s in matching if _trusts(s, service) and _source_fits(s, source_arn)]
        return bool(matching) and all(statement["Effect"] == "Allow" for statement in matching)

    def trusts(self, service: str) -> bool:
        """Whether the service may assume a role with this trust policy."""
        return any(_trusts(s, service) and "sts:AssumeRole" in many(s["Action"]) for s in self.statements)


def many(value: Any) -> list:
    """A policy's "one or many" as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def policies(state: State) -> Iterator[tuple[Resource, str, Policy]]:
    """Yields (resource, attribute, policy) of every policy document in the state."""
    for resource in state.resources:
        for attribute in ("policy", "assume_role_policy", "policy_document"):
            text = resource[attribute]
            if isinstance(text, str) and '"Statement"' in text:
                yield resource, attribute, Policy.parse(text)


def _resources(module: dict) -> Iterator[Resource]:
    for item in module.get("resources", []):
        if item["mode"] == "managed":
            yield Resource(item["address"], item["type"], item["values"])
    for child in module.get("child_modules", []):
        yield from _resources(child)


def _matches(statement: dict, key: str, value: str) -> bool:
    return any(fnmatch.fnmatchcase(value.lower(), pattern.lower()) for pattern in many(statement.get(key)))


def _trusts(statement: dict, service: str) -> bool:
    principal = statement.get("Principal")
    return isinstance(principal, dict) and service in many(principal.get("Service"))


def _source_fits(statement: dict, source_arn: str) -> bool:
    for test, variables in statement.get("Condition", {}).items():
        expected = many(variables.get("aws:SourceArn"))
        if test.startswith("Arn") and expected:
            return any(fnmatch.fnmatchcase(source_arn, pattern) for pattern in expected)
    return True
