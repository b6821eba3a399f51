"""Made-up values for what AWS would compute: well-formed ARNs, ids and addresses, the same on every run."""

from __future__ import annotations

import hashlib
import json
from typing import Any

ACCOUNT = "123456789012"

_NAME_ARGUMENTS = ("name", "function_name", "alarm_name", "id")
_INVOKE = "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"

# Placeholders: any string argument of the resource, and account, arn, bus_path, hash, name, region.
_TEMPLATES: dict[str, dict[str, str]] = {
    "aws_apigatewayv2_api": {
        "id": "{hash:.10}",
        "arn": "arn:aws:apigateway:{region}::/apis/{hash:.10}",
        "api_endpoint": "https://{hash:.10}.execute-api.{region}.amazonaws.com",
        "execution_arn": "arn:aws:execute-api:{region}:{account}:{hash:.10}",
    },
    "aws_apigatewayv2_authorizer": {"id": "{hash:.6}"},
    "aws_apigatewayv2_integration": {"id": "{hash:.7}"},
    "aws_apigatewayv2_route": {"id": "{hash:.7}"},
    "aws_apigatewayv2_stage": {"arn": "arn:aws:apigateway:{region}::/apis/{api_id}/stages/{name}"},
    "aws_cloudwatch_event_archive": {"arn": "arn:aws:events:{region}:{account}:archive/{name}"},
    "aws_cloudwatch_event_bus": {"arn": "arn:aws:events:{region}:{account}:event-bus/{name}"},
    "aws_cloudwatch_event_rule": {"arn": "arn:aws:events:{region}:{account}:rule/{bus_path}{name}"},
    "aws_cloudwatch_log_group": {"arn": "arn:aws:logs:{region}:{account}:log-group:{name}"},
    "aws_cloudwatch_metric_alarm": {"arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}"},
    "aws_dynamodb_table": {
        "arn": "arn:aws:dynamodb:{region}:{account}:table/{name}",
        "stream_arn": "{arn}/stream/2026-01-01T00:00:00.000",
    },
    "aws_iam_role": {"arn": "arn:aws:iam::{account}:role/{name}"},
    "aws_kms_key": {"arn": "arn:aws:kms:{region}:{account}:key/{hash:.16}", "key_id": "{hash:.16}", "id": "{hash:.16}"},
    "aws_lambda_alias": {
        "arn": "arn:aws:lambda:{region}:{account}:function:{function_name}:{name}",
        "invoke_arn": _INVOKE,
    },
    "aws_lambda_event_source_mapping": {"id": "{hash:.16}", "uuid": "{hash:.16}"},
    "aws_lambda_function": {
        "arn": "arn:aws:lambda:{region}:{account}:function:{name}",
        "invoke_arn": _INVOKE,
        "qualified_arn": "{arn}:1",
        "version": "1",
    },
    "aws_secretsmanager_secret": {"arn": "arn:aws:secretsmanager:{region}:{account}:secret:{name}-AbCdEf"},
    "aws_sfn_state_machine": {"arn": "arn:aws:states:{region}:{account}:stateMachine:{name}"},
    "aws_sns_topic": {"arn": "arn:aws:sns:{region}:{account}:{name}"},
    "aws_sns_topic_subscription": {"arn": "{topic_arn}:{hash:.16}"},
    "aws_sqs_queue": {
        "arn": "arn:aws:sqs:{region}:{account}:{name}",
        "url": "https://sqs.{region}.amazonaws.com/{account}/{name}",
    },
}


def computed(resource_type: str, name: str, kind: Any, config: dict, region: str) -> Any:
    """The value of one computed attribute of a resource with this configuration."""
    if kind == "string":
        return _string(resource_type, name, config, region)
    if kind in ("number", "bool"):
        return {"number": 0, "bool": False}[kind]
    if kind[0] == "object":
        return {key: computed(resource_type, key, inner, config, region) for key, inner in kind[1].items()}
    return {} if kind[0] == "map" else []


def _string(resource_type: str, name: str, config: dict, region: str) -> str:
    facts = _facts(resource_type, config, region)
    templates = _TEMPLATES.get(resource_type, {})
    if "arn" in templates:
        facts["arn"] = templates["arn"].format_map(facts)
    if name in templates:
        return templates[name].format_map(facts)
    if name == "region":
        return region
    if name == "id":
        return facts["name"]
    if name == "arn":
        service = resource_type.split("_")[1]
        return f"arn:aws:{service}:{region}:{ACCOUNT}:{facts['name']}"
    return f"{name}-{facts['hash'][:8]}"


def _facts(resource_type: str, config: dict, region: str) -> dict[str, str]:
    seed = json.dumps([resource_type, config], default=str, sort_keys=True)
    digest = hashlib.sha256(seed.encode()).hexdigest()
    strings = {key: value for key, value in config.items() if isinstance(value, str)}
    name = next((strings[key] for key in _NAME_ARGUMENTS if key in strings), digest[:12])
    bus = strings.get("event_bus_name", "default")
    made = {
        "account": ACCOUNT,
        "bus_path": "" if bus == "default" else f"{bus}/",
        "hash": digest,
        "name": name,
        "region": region,
    }
    return strings | made
