"""Faults in what the stack says, which the tests notice."""

from .fault import INPUTS, RENDERED, Fault

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
        "merge(local.table_environment, local.secret_environment, local.reopen_environment, {",
        "merge(local.table_environment, local.reopen_environment, {",
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
]
