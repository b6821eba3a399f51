"""Faults that terraform, the schema and the linters notice."""

from .fault import FORMAT, RENDER, SCAN, VALIDATE, Fault

_NOTIFY_PATTERN = "terraform/wiring/patterns/notify.json"

SCHEMA_FAULTS = [
    Fault(
        "misspelt argument",
        "terraform/relay.tf",
        "bisect_batch_on_function_error",
        "bisect_batch_on_error",
        VALIDATE,
        "Unsupported argument",
    ),
    Fault(
        "missing required argument",
        "terraform/ingest.tf",
        '  protocol_type = "HTTP"\n',
        "",
        VALIDATE,
        "Missing required argument",
    ),
    Fault(
        "misspelt reference",
        "terraform/remediation.tf",
        "= aws_iam_role.remediation.arn",
        "= aws_iam_role.remediaton.arn",
        VALIDATE,
        "undeclared resource",
    ),
    Fault(
        "misspelt module argument",
        "terraform/functions.tf",
        "  architecture  ",
        "  architectures ",
        VALIDATE,
        "Unsupported argument",
    ),
    Fault(
        "unknown module output",
        "terraform/bus.tf",
        'module.function["notifier"].alias_arn',
        'module.function["notifier"].arn',
        VALIDATE,
        "Unsupported attribute",
    ),
    Fault("value outside its enum", "terraform/relay.tf", '"TRIM_HORIZON"', '"TRIM_HORIZN"', VALIDATE, "is not one of"),
    Fault(
        "number out of range",
        "terraform/relay.tf",
        "parallelization_factor             = 4",
        "parallelization_factor             = 40",
        VALIDATE,
        "is above 10",
    ),
    Fault(
        "text for a number",
        "terraform/bus.tf",
        "retention_days   = 30",
        'retention_days   = "thirty"',
        VALIDATE,
        "a number is required",
    ),
    Fault(
        "misspelt block", "terraform/incidents_table.tf", "  ttl {", "  expiry {", VALIDATE, "Unsupported block type"
    ),
    Fault(
        "stream without a view",
        "terraform/incidents_table.tf",
        "  stream_view_type            = local.table.StreamSpecification.StreamViewType\n",
        "",
        VALIDATE,
        "needs stream_view_type",
    ),
    Fault(
        "key without an attribute",
        "terraform/wiring/table.json",
        '    { "AttributeName": "sk", "AttributeType": "S" },\n',
        "",
        VALIDATE,
        "has no attribute block",
    ),
    Fault("careless layout", "terraform/locals.tf", "  account   =", "  account =", FORMAT, "locals.tf"),
    Fault(
        "event pattern that is no JSON",
        _NOTIFY_PATTERN,
        '"step.verified"\n  ]',
        '"step.verified"\n',
        RENDER,
        "jsondecode",
    ),
    Fault(
        "key rotation off",
        "terraform/notify.tf",
        "enable_key_rotation     = true",
        "enable_key_rotation     = false",
        SCAN,
        "CKV_AWS_7",
    ),
]
