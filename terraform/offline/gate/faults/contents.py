"""Faults in what the stack says, which the tests notice."""

from .fault import INPUTS, MONITOR, RENDERED, VALIDATE, Fault

_NOTIFY_PATTERN = "terraform/wiring/patterns/notify.json"
_REMEDIATE_PATTERN = "terraform/wiring/patterns/remediate.json"
_TAG_CONDITION = """"variable": "aws:ResourceTag/firebreak",
          "values": [
            "allow"
"""

CONTENT_FAULTS = [
    Fault(
        "tag guard dropped",
        "terraform/functions.tf",
        ", [local.never_retag])",
        ")",
        RENDERED,
        "must not be able to set tags",
    ),
    Fault(
        "opt-in tag dropped",
        "terraform/wiring/permissions.json",
        _TAG_CONDITION,
        _TAG_CONDITION.replace("aws:ResourceTag/firebreak", "ec2:Region"),
        RENDERED,
        "must ask for the tag",
    ),
    Fault(
        "runs started by updates", _REMEDIATE_PATTERN, "alert.fired", "alert.updated", RENDERED, "and for nothing else"
    ),
    Fault("recovery not told", _NOTIFY_PATTERN, '    "incident.resolved",\n', "", RENDERED, "told of the end"),
    Fault("whole event as input", "terraform/bus.tf", '"$.detail"', "null", RENDERED, "event's detail"),
    Fault(
        "secret not named",
        "terraform/functions.tf",
        "environment = merge(local.table_environment, local.secret_environment, local.reopen_environment)",
        "environment = merge(local.table_environment, local.reopen_environment)",
        RENDERED,
        "lacks a variable",
    ),
    Fault(
        "permission to delete",
        "terraform/functions.tf",
        '        "dynamodb:GetItem",\n',
        '        "dynamodb:DeleteItem",\n        "dynamodb:GetItem",\n',
        RENDERED,
        "may delete",
    ),
    Fault(
        "validation weakened",
        "terraform/variables.tf",
        'contains(["arm64", "x86_64"]',
        'contains(["arm64", "x86_64", "riscv64"]',
        INPUTS,
        "expected failure",
    ),
    Fault(
        "names without environment",
        "terraform/locals.tf",
        '"${var.name}-${var.environment}"',
        '"${var.name}-prod"',
        INPUTS,
        "<name>-<environment>",
    ),
    Fault(
        "recovery not sent by Sumo Logic",
        "sumo/main.tf",
        '["Critical", "ResolvedCritical"]',
        '["Critical"]',
        MONITOR,
        "recovery must both be sent",
    ),
    Fault(
        "instance not in the payload",
        "sumo/payload.json",
        '"instance_id": "{{ResultsJson.instance_id}}"',
        '"host": "{{ResultsJson.host}}"',
        MONITOR,
        "service, env and instance_id",
    ),
    Fault("lower limit in the query", "sumo/slow_api_data.query", "> 3000", "> 300", MONITOR, "the query must count"),
    Fault(
        "alert at five events",
        "sumo/main.tf",
        'threshold_type = "GreaterThan"',
        'threshold_type = "GreaterThanOrEqual"',
        MONITOR,
        "above 5 events",
    ),
    Fault(
        "connection without a token",
        "sumo/main.tf",
        '  headers      = { Authorization = "Bearer ${var.webhook_token}" }\n',
        "",
        MONITOR,
        "must authenticate|null value",
    ),
    Fault(
        "connection without a payload",
        "sumo/main.tf",
        "  default_payload    = local.payload\n",
        "",
        VALIDATE,
        "Missing required argument",
    ),
    Fault("unknown trigger type", "sumo/main.tf", '"ResolvedCritical"', '"Resolved"', VALIDATE, "is not one of"),
]
