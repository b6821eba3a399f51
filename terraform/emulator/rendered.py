"""Reads a rendered Terraform state (`terraform show -json`) and rewrites its names for one real account."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

# Attributes of a rendered resource that other resources may have copied into their own arguments.
REFERENCES = (
    "arn",
    "id",
    "url",
    "stream_arn",
    "invoke_arn",
    "qualified_arn",
    "qualified_invoke_arn",
    "execution_arn",
    "api_endpoint",
)


@dataclass(frozen=True)
class Resource:
    """One managed resource: its address in the configuration and its rendered values."""

    address: str
    type: str
    values: dict[str, Any]

    def block(self, name: str) -> dict[str, Any]:
        """The single nested block `name`, or an empty one (Terraform writes blocks as lists)."""
        blocks = self.values.get(name) or []
        if isinstance(blocks, dict):
            return blocks
        return blocks[0] if blocks else {}

    def document(self, name: str) -> str | None:
        """A JSON argument; a rendering puts an invented word where AWS would compute one."""
        value = self.values.get(name)
        return value if isinstance(value, str) and value.lstrip().startswith("{") else None

    def blocks(self, name: str) -> list[dict[str, Any]]:
        """All nested blocks `name`."""
        found = self.values.get(name) or []
        return [found] if isinstance(found, dict) else list(found)


def load(path: Path) -> list[Resource]:
    """All managed resources of the rendered state, root module first."""
    document = json.loads(path.read_text())
    return list(_walk(document["values"]["root_module"]))


def _walk(module: dict[str, Any]) -> Iterator[Resource]:
    for item in module.get("resources", []):
        if item.get("mode", "managed") == "managed":
            yield Resource(item["address"], item["type"], item.get("values") or {})
    for child in module.get("child_modules", []):
        yield from _walk(child)


def account_and_region(resources: list[Resource]) -> tuple[str, str]:
    """The account and Region that the rendering stands for, read from its first function or table."""
    for resource in resources:
        arn = resource.values.get("arn")
        found = re.match(r"arn:aws:(?:lambda|dynamodb|sqs):([a-z0-9-]+):(\d{12}):", arn or "")
        if found:
            return found.group(2), found.group(1)
    raise ValueError("no resource in the rendered state names an account and a Region")


class Rewriter:
    """Replaces what the rendering invented (account, ids, stream labels) by what the emulator gave."""

    def __init__(self) -> None:
        self._account: tuple[str, str] | None = None
        self._pairs: dict[str, str] = {}

    def learn_account(self, rendered: str, real: str) -> None:
        """The account number is replaced first, so that everything else is learned with the real one."""
        self._account = (rendered, real)

    def learn(self, rendered: Any, real: Any) -> None:
        """From now on `rendered` reads `real`."""
        # A very short string would also be found where it is not meant.
        if isinstance(rendered, str) and isinstance(real, str) and rendered != real and len(rendered) >= 6:
            self._pairs[rendered] = real

    def apply(self, value: Any) -> Any:
        """`value` with every learned string replaced, the longest first."""
        if isinstance(value, str):
            if self._account:
                value = value.replace(*self._account)
            for rendered in sorted(self._pairs, key=len, reverse=True):
                if rendered in value:
                    value = value.replace(rendered, self._pairs[rendered])
            return value
        if isinstance(value, dict):
            return {key: self.apply(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.apply(item) for item in value]
        return value

    def resource(self, resource: Resource) -> Resource:
        """The resource with its arguments rewritten."""
        return Resource(resource.address, resource.type, self.apply(resource.values))
