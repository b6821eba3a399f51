"""Seeded faults: one change each to a copy of the stack, and the step that must notice it."""

from __future__ import annotations

from typing import NamedTuple

VALIDATE = "validate"
TEST = "test"
RENDER = "render"
FORMAT = "fmt"
SCAN = "checkov"


class Fault(NamedTuple):
    """A change to one file. `step` is a step above or the name of a check; `says` is what it must say."""

    name: str
    file: str
    old: str
    new: str
    step: str
    says: str

    @property
    def folder(self) -> str:
        """The root module that the fault is in."""
        return self.file.partition("/")[0]


_NOTIFY_PATTERN = "terraform/wiring/patterns/notify.json"
_REMEDIATE_PATTERN = "terraform/wiring/patterns/remediate.json"
_MACHINE = "terraform/wiring/remediation.asl.json"
_TAG_CONDITION = """"variable": "aws:ResourceTag/firebreak",
          "values": [
            "allow"
"""
_TARGET_DEAD_LETTERS = """
  dead_letter_config {
    arn = aws_sqs_queue.dead_letters["rule_${each.key}"].arn
  }
"""
_STREAM_DEAD_LETTERS = """
  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.dead_letters["relay"].arn
    }
  }
"""
_QUEUE_CONDITION = """
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.this[each.key].arn]
    }
"""

SCHEMA_FAULTS = [
    Fault("misspelt argument", "terraform/relay.tf", "bisect_batch_on_function_error", "bisect_batch_on_error", VALIDATE, "Unsupported argument"),
    Fault("missing required argument", "terraform/ingest.tf", '  protocol_type = "HTTP"\n', "", VALIDATE, "Missing required argument"),
    Fault("misspelt reference", "terraform/remediation.tf", "= aws_iam_role.remediation.arn", "= aws_iam_role.remediaton.arn", VALIDATE, "undeclared resource"),
    Fault("misspelt module argument", "terraform/functions.tf", "  architecture  ", "  architectures ", VALIDATE, "Unsupported argument"),
    Fault("unknown module output", "terraform/bus.tf", 'module.function["notifier"].alias_arn', 'module.function["notifier"].arn', VALIDATE, "Unsupported attribute"),
    Fault("value outside its enum", "terraform/relay.tf", '"TRIM_HORIZON"', '"TRIM_HORIZN"', VALIDATE, "is not one of"),
    Fault("number out of range", "terraform/relay.tf", "parallelization_factor             = 4", "parallelization_factor             = 40", VALIDATE, "is above 10"),
    Fault("text for a number", "terraform/bus.tf", "retention_days   = 30", 'retention_days   = "thirty"', VALIDATE, "a number is required"),
    Fault("misspelt block", "terraform/incidents_table.tf", "  ttl {", "  expiry {", VALIDATE, "Unsupported block type"),
    Fault("stream without a view", "terraform/incidents_table.tf", "  stream_view_type            = local.table.StreamSpecification.StreamViewType\n", "", VALIDATE, "needs stream_view_type"),
    Fault("key without an attribute", "terraform/wiring/table.json", '    { "AttributeName": "sk", "AttributeType": "S" },\n', "", VALIDATE, "has no attribute block"),
    Fault("careless layout", "terraform/locals.tf", "  account   =", "  account =", FORMAT, "locals.tf"),
    Fault("event pattern that is no JSON", _NOTIFY_PATTERN, '"approval.requested"\n  ]', '"approval.requested"\n', RENDER, "jsondecode"),
    Fault("key rotation off", "terraform/notify.tf", "enable_key_rotation     = true", "enable_key_rotation     = false", SCAN, "CKV_AWS_7"),
]

CONTENT_FAULTS = [
    Fault("tag guard dropped", "terraform/functions.tf", ", [local.never_retag])", ")", TEST, "must not be able to set tags"),
    Fault("opt-in tag dropped", "terraform/wiring/permissions.json", _TAG_CONDITION, _TAG_CONDITION.replace("aws:ResourceTag/firebreak", "ec2:Region"), TEST, "must ask for the tag"),
    Fault("runs started by updates", _REMEDIATE_PATTERN, "alert.fired", "alert.updated", TEST, "and for nothing else"),
    Fault("recovery not told", _NOTIFY_PATTERN, '    "incident.resolved",\n', "", TEST, "told of the end"),
    Fault("whole event as input", "terraform/bus.tf", '"$.detail"', "null", TEST, "event's detail"),
    Fault("secret not named", "terraform/functions.tf", "environment = merge(local.table_environment, local.secret_environment)", "environment = local.table_environment", TEST, "lacks a variable"),
    Fault("permission to delete", "terraform/functions.tf", '        "dynamodb:GetItem",\n', '        "dynamodb:DeleteItem",\n        "dynamodb:GetItem",\n', TEST, "may delete"),
    Fault("validation weakened", "terraform/variables.tf", 'contains(["arm64", "x86_64"]', 'contains(["arm64", "x86_64", "riscv64"]', TEST, "expected failure"),
    Fault("names without environment", "terraform/locals.tf", '"${var.name}-${var.environment}"', '"${var.name}-prod"', TEST, "<name>-<environment>"),
    Fault("recovery not sent by Sumo Logic", "sumo/main.tf", '["Critical", "ResolvedCritical"]', '["Critical"]', TEST, "recovery must both be sent"),
    Fault("instance not in the payload", "sumo/payload.json", '"instance_id": "{{ResultsJson.instance_id}}"', '"host": "{{ResultsJson.host}}"', TEST, "service, env and instance_id"),
    Fault("lower limit in the query", "sumo/slow_api_data.query", "> 3000", "> 300", TEST, "the query must count"),
    Fault("alert at five events", "sumo/main.tf", 'threshold_type = "GreaterThan"', 'threshold_type = "GreaterThanOrEqual"', TEST, "above 5 events"),
    Fault("connection without a token", "sumo/main.tf", "  headers      = { Authorization = \"Bearer ${var.webhook_token}\" }\n", "", TEST, "must authenticate|null value"),
    Fault("connection without a payload", "sumo/main.tf", "  default_payload    = local.payload\n", "", VALIDATE, "Missing required argument"),
    Fault("unknown trigger type", "sumo/main.tf", '"ResolvedCritical"', '"Resolved"', VALIDATE, "is not one of"),
]

RENDERED_FAULTS = [
    Fault("unknown IAM action", "terraform/functions.tf", '"dynamodb:PutItem"', '"dynamodb:PutItems"', "iam: actions exist", "no action dynamodb:PutItems"),
    Fault("wildcard action", "terraform/remediation.tf", '"states:StartExecution"', '"states:*"', "iam: actions are written out", "is a wildcard"),
    Fault("wildcard resource", "terraform/functions.tf", "resources = [aws_secretsmanager_secret.webhooks.arn]", 'resources = ["*"]', "iam: resources are limited", "can be limited"),
    Fault("ARN of the wrong kind", "terraform/functions.tf", "resources = [aws_cloudwatch_event_bus.this.arn]", "resources = [aws_dynamodb_table.incidents.arn]", "iam: resources fit their actions", "does not work on"),
    Fault("transition into nothing", _MACHINE, '"Next": "Act" }', '"Next": "Execute" }', "machine: transitions have targets", "leads to Execute"),
    Fault("state that nothing reaches", _MACHINE, '"Next": "AwaitApproval" }', '"Next": "Wait" }', "machine: states can be reached", "AwaitApproval cannot be reached"),
    Fault("state without a way on", _MACHINE, '"Seconds": 10,\n      "Next": "Advance"', '"Seconds": 10', "machine: states come to an end", "neither Next nor End"),
    Fault("task without a timeout", _MACHINE, '      "TimeoutSeconds": 120,\n', "", "machine: tasks are guarded", "Act has no TimeoutSeconds"),
    Fault("misspelt retry field", _MACHINE, '"MaxAttempts": 6', '"MaxAttemps": 6', "machine: cfn-lint accepts the documents", "MaxAttemps"),
    Fault("machine may not act", "terraform/remediation.tf", "concat([local.advance_arn], values(local.act_arns))", "[local.advance_arn]", "wiring: the state machine may invoke its functions", "may not invoke"),
    Fault("machine calls no alias", "terraform/remediation.tf", 'advance_arn = module.function["runbook_action"].alias_arn', 'advance_arn = "arn:aws:lambda:eu-west-1:123456789012:function:other"', "wiring: the state machine may invoke its functions", "is no alias"),
    Fault("rule may not invoke", "terraform/bus.tf", '{ notify = "notifier", failed_runs = "runbook_action" }', '{ notify = "notifier" }', "wiring: rules may deliver", "may not invoke"),
    Fault("rule may not start a run", "terraform/remediation.tf", '"states:StartExecution"', '"states:DescribeExecution"', "wiring: rules may deliver", "may not start"),
    Fault("rule without dead letters", "terraform/bus.tf", _TARGET_DEAD_LETTERS, "", "wiring: rules keep failures", "no dead-letter queue"),
    Fault("queue open to every rule", "terraform/dead_letters.tf", _QUEUE_CONDITION, "", "wiring: queues trust one rule", "lets"),
    Fault("stream without dead letters", "terraform/relay.tf", _STREAM_DEAD_LETTERS, "", "wiring: streams keep failures", "no dead-letter queue"),
    Fault("endless stream retries", "terraform/relay.tf", "maximum_retry_attempts             = 50", "maximum_retry_attempts             = -1", "wiring: streams keep failures", "not finite"),
    Fault("stream not readable", "terraform/functions.tf", '"dynamodb:GetRecords", ', "", "wiring: streams may be read", "may not dynamodb:GetRecords"),
    Fault("log not writable", "terraform/modules/lambda_function/iam.tf", ', "logs:PutLogEvents"', "", "wiring: functions may run", "may not write its log"),
    Fault("function without dead letters", "terraform/functions.tf", '      dead_letter = "notifier"\n', "", "wiring: functions keep failures", "no dead-letter queue"),
    Fault("topic not allowed", "terraform/functions.tf", '["sns:Publish"]', '["sns:Subscribe"]', "wiring: functions may do their work", "may not sns:Publish"),
    Fault("route not permitted", "terraform/ingest.tf", "/*/*${each.value.path}", "/*/*/other", "wiring: routes reach functions", "may not invoke"),
    Fault("log kept for ever", "terraform/modules/lambda_function/main.tf", "  retention_in_days = var.log_retention_days\n", "", "wiring: logs expire", "kept for ever"),
    Fault("dead letters unwatched", "terraform/observability.tf", "for_each = local.dead_letters", 'for_each = toset(["relay"])', "wiring: failures raise alarms", "no alarm watches"),
]

FAULTS = SCHEMA_FAULTS + CONTENT_FAULTS + RENDERED_FAULTS
