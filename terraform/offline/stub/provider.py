"""The provider's answers to Terraform: validate, plan, apply and read, all from the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tf.gen import tfplugin_pb2 as pb

from . import naming, policy_document, schema
from .rules import Rules
from .values import UNKNOWN, decode, encode, rewrite

DEFAULT_REGION = "eu-west-1"


class Provider:
    """One provider process. Method names are those of the protocol."""

    def __init__(self, schema_path: Path, rules_path: Path, cache: Path) -> None:
        self._schema_path = schema_path
        self._cache = cache
        self._schema = schema.load(schema_path)
        self._rules = Rules(rules_path, self._schema["rules"])
        self._config: dict = {}

    def GetProviderSchema(self, _request: Any, _context: Any) -> bytes:
        return schema.message(self._schema_path, self._cache)

    def ValidateProviderConfig(self, _request: Any, _context: Any) -> Any:
        return pb.ValidateProviderConfig.Response()

    def ConfigureProvider(self, request: Any, _context: Any) -> Any:
        self._config = decode(request.config) or {}
        return pb.ConfigureProvider.Response()

    def ValidateResourceConfig(self, request: Any, _context: Any) -> Any:
        response = pb.ValidateResourceConfig.Response()
        self._diagnose(response, request.type_name, decode(request.config))
        return response

    def ValidateDataResourceConfig(self, _request: Any, _context: Any) -> Any:
        return pb.ValidateDataResourceConfig.Response()

    def UpgradeResourceState(self, request: Any, _context: Any) -> Any:
        response = pb.UpgradeResourceState.Response()
        response.upgraded_state.msgpack = encode(json.loads(request.raw_state.json))
        return response

    def ReadResource(self, request: Any, _context: Any) -> Any:
        return pb.ReadResource.Response(new_state=request.current_state, private=request.private)

    def PlanResourceChange(self, request: Any, _context: Any) -> Any:
        response = pb.PlanResourceChange.Response(legacy_type_system=True)
        proposed = decode(request.proposed_new_state)
        if proposed is None:
            response.planned_state.msgpack = encode(None)
            return response
        is_new = decode(request.prior_state) is None
        block = self._block("resource_schemas", request.type_name)

        def plan(_name: str, attribute: dict, value: Any, _parent: dict) -> Any:
            if attribute.get("write_only"):
                return None
            return UNKNOWN if value is None and attribute.get("computed") and is_new else value

        planned = rewrite(block, proposed, plan)
        if "tags_all" in block["attributes"]:
            planned["tags_all"] = self._all_tags(proposed.get("tags"))
        response.planned_state.msgpack = encode(planned)
        return response

    def ApplyResourceChange(self, request: Any, _context: Any) -> Any:
        response = pb.ApplyResourceChange.Response(legacy_type_system=True)
        planned = decode(request.planned_state)
        block = self._block("resource_schemas", request.type_name)
        response.new_state.msgpack = encode(self._filled(request.type_name, block, planned))
        self._diagnose(response, request.type_name, planned)
        return response

    def ReadDataSource(self, request: Any, _context: Any) -> Any:
        response = pb.ReadDataSource.Response()
        config = decode(request.config)
        block = self._block("data_source_schemas", request.type_name)
        known = self._data(request.type_name, config)
        merged = {name: known.get(name, value) if value is None else value for name, value in config.items()}
        for name, attribute in block["attributes"].items():
            if merged.get(name) is None and attribute.get("computed"):
                merged[name] = UNKNOWN
        merged |= {name: value for name, value in known.items() if value is UNKNOWN}
        filled = merged if UNKNOWN in known.values() else self._filled(request.type_name, block, merged)
        response.state.msgpack = encode(filled)
        return response

    def GetFunctions(self, _request: Any, _context: Any) -> Any:
        return pb.GetFunctions.Response()

    def StopProvider(self, _request: Any, _context: Any) -> Any:
        return pb.StopProvider.Response()

    @property
    def _region(self) -> str:
        region = self._config.get("region")
        return region if isinstance(region, str) else DEFAULT_REGION

    def _block(self, kind: str, type_name: str) -> dict:
        return self._schema[kind][type_name]["block"]

    def _diagnose(self, response: Any, type_name: str, value: Any) -> None:
        if not isinstance(value, dict):
            return
        block = self._block("resource_schemas", type_name)
        for path, text in self._rules.problems(type_name, block, value):
            problem = response.diagnostics.add(
                severity=pb.Diagnostic.ERROR, summary=f"Invalid {type_name}.{path}", detail=text
            )
            problem.attribute.steps.add(attribute_name=path.split(".")[0])

    def _filled(self, type_name: str, block: dict, value: Any) -> Any:
        """Replaces what is still unknown by made-up values."""
        if value is None:
            return None
        config = {name: item for name, item in value.items() if item is not UNKNOWN}

        def fill(name: str, attribute: dict, item: Any, _parent: dict) -> Any:
            return (
                naming.computed(type_name, name, attribute["type"], config, self._region) if item is UNKNOWN else item
            )

        return rewrite(block, value, fill)

    def _all_tags(self, tags: Any) -> Any:
        if tags is UNKNOWN:
            return UNKNOWN
        merged: dict = {}
        for block in self._config.get("default_tags") or []:
            merged |= block.get("tags") or {}
        return merged | (tags or {})

    def _data(self, type_name: str, config: dict) -> dict:
        """What the data sources in use answer."""
        if type_name == "aws_iam_policy_document":
            document = policy_document.render(config)
            minified = document if document is UNKNOWN else json.dumps(json.loads(document), separators=(",", ":"))
            return {"json": document, "minified_json": minified, "id": "0"}
        root = f"arn:aws:iam::{naming.ACCOUNT}:root"
        facts = {
            "aws_caller_identity": {
                "account_id": naming.ACCOUNT,
                "arn": root,
                "user_id": naming.ACCOUNT,
                "id": naming.ACCOUNT,
            },
            "aws_partition": {"partition": "aws", "dns_suffix": "amazonaws.com", "id": "aws"},
            "aws_region": {"name": self._region, "region": self._region, "id": self._region},
        }
        return facts.get(type_name, {})
