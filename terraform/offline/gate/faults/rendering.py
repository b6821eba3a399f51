"""Faults that show in the rendered stack only: permissions, wiring and the state machine."""

from .fault import Fault

_REMEDIATE_PATTERN = "terraform/wiring/patterns/remediate.json"
_MACHINE = "terraform/wiring/remediation.asl.json"
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

RENDERED_FAULTS = [
    Fault(
        "unknown IAM action",
        "terraform/functions.tf",
        '"dynamodb:PutItem"',
        '"dynamodb:PutItems"',
        "iam: actions exist",
        "no action dynamodb:PutItems",
    ),
    Fault(
        "wildcard action",
        "terraform/remediation.tf",
        '"states:StartExecution"',
        '"states:*"',
        "iam: actions are written out",
        "is a wildcard",
    ),
    Fault(
        "wildcard resource",
        "terraform/functions.tf",
        "resources = [aws_secretsmanager_secret.webhooks.arn]",
        'resources = ["*"]',
        "iam: resources are limited",
        "can be limited",
    ),
    Fault(
        "ARN of the wrong kind",
        "terraform/functions.tf",
        "resources = [aws_cloudwatch_event_bus.this.arn]",
        "resources = [aws_dynamodb_table.incidents.arn]",
        "iam: resources fit their actions",
        "does not work on",
    ),
    Fault(
        "transition into nothing",
        _MACHINE,
        '"Next": "Act" }',
        '"Next": "Execute" }',
        "machine: transitions have targets",
        "leads to Execute",
    ),
    Fault(
        "state that nothing reaches",
        _MACHINE,
        '"Next": "AwaitApproval" }',
        '"Next": "Wait" }',
        "machine: states can be reached",
        "AwaitApproval cannot be reached",
    ),
    Fault(
        "state without a way on",
        _MACHINE,
        '"Seconds": 10,\n      "Next": "Advance"',
        '"Seconds": 10',
        "machine: states come to an end",
        "neither Next nor End",
    ),
    Fault(
        "task without a timeout",
        _MACHINE,
        '      "TimeoutSeconds": 120,\n',
        "",
        "machine: tasks are guarded",
        "Act has no TimeoutSeconds",
    ),
    Fault(
        "misspelt retry field",
        _MACHINE,
        '"MaxAttempts": 6',
        '"MaxAttemps": 6',
        "machine: rules are spelt right",
        "MaxAttemps",
    ),
    Fault(
        "misspelt field of a state",
        _MACHINE,
        '"Seconds": 10',
        '"Second": 10',
        "machine: cfn-lint accepts the documents",
        "Second",
    ),
    Fault(
        "event pattern with a bare value",
        _REMEDIATE_PATTERN,
        '["firebreak"]',
        '"firebreak"',
        "wiring: patterns match lists",
        "source must be a list",
    ),
    Fault(
        "machine may not act",
        "terraform/remediation.tf",
        "concat([local.advance_arn], values(local.act_arns))",
        "[local.advance_arn]",
        "wiring: the state machine may invoke its functions",
        "may not invoke",
    ),
    Fault(
        "machine calls no alias",
        "terraform/remediation.tf",
        'advance_arn = module.function["runbook_action"].alias_arn',
        'advance_arn = "arn:aws:lambda:eu-west-1:123456789012:function:other"',
        "wiring: the state machine may invoke its functions",
        "is no alias",
    ),
    Fault(
        "rule may not invoke",
        "terraform/bus.tf",
        '{ notify = "notifier", failed_runs = "runbook_action", sweep = "runbook_action" }',
        '{ notify = "notifier" }',
        "wiring: rules may deliver",
        "may not invoke",
    ),
    Fault(
        "rule may not start a run",
        "terraform/remediation.tf",
        '"states:StartExecution"',
        '"states:DescribeExecution"',
        "wiring: rules may deliver",
        "may not start",
    ),
    Fault(
        "rule without dead letters",
        "terraform/bus.tf",
        _TARGET_DEAD_LETTERS,
        "",
        "wiring: rules keep failures",
        "no dead-letter queue",
    ),
    Fault(
        "queue open to every rule",
        "terraform/dead_letters.tf",
        _QUEUE_CONDITION,
        "",
        "wiring: queues trust their rules",
        "lets",
    ),
    Fault(
        "stream without dead letters",
        "terraform/relay.tf",
        _STREAM_DEAD_LETTERS,
        "",
        "wiring: streams keep failures",
        "no dead-letter queue",
    ),
    Fault(
        "endless stream retries",
        "terraform/relay.tf",
        "maximum_retry_attempts             = 50",
        "maximum_retry_attempts             = -1",
        "wiring: streams keep failures",
        "not finite",
    ),
    Fault(
        "stream not readable",
        "terraform/functions.tf",
        '"dynamodb:GetRecords", ',
        "",
        "wiring: streams may be read",
        "may not dynamodb:GetRecords",
    ),
    Fault(
        "log not writable",
        "terraform/modules/lambda_function/iam.tf",
        ', "logs:PutLogEvents"',
        "",
        "wiring: functions may run",
        "may not write its log",
    ),
    Fault(
        "function without dead letters",
        "terraform/functions.tf",
        '      dead_letter = "notifier"\n',
        "",
        "wiring: functions keep failures",
        "no dead-letter queue",
    ),
    Fault(
        "topic not allowed",
        "terraform/functions.tf",
        '["sns:Publish"]',
        '["sns:Subscribe"]',
        "wiring: functions may do their work",
        "may not sns:Publish",
    ),
    Fault(
        "route not permitted",
        "terraform/ingest.tf",
        "/*/*${each.value.path}",
        "/*/*/other",
        "wiring: routes reach functions",
        "may not invoke",
    ),
    Fault(
        "log kept for ever",
        "terraform/modules/lambda_function/main.tf",
        "  retention_in_days = var.log_retention_days\n",
        "",
        "wiring: logs expire",
        "kept for ever",
    ),
    Fault(
        "dead letters unwatched",
        "terraform/observability.tf",
        "{ for key in local.dead_letters : key",
        "{ for key in toset([\"relay\"]) : key",
        "wiring: failures raise alarms",
        "no alarm watches",
    ),
    Fault(
        "ticks that cannot be set",
        "terraform/notify.tf",
        ', "sqs:SendMessage"]\n      resources = [aws_sqs_queue.ticks.arn]',
        ']\n      resources = [aws_sqs_queue.ticks.arn]',
        "wiring: functions may do their work",
        "may not sqs:SendMessage",
    ),
    Fault(
        "ticks that wait unseen",
        "terraform/observability.tf",
        "dimensions          = { QueueName = aws_sqs_queue.ticks.name }",
        "dimensions          = { QueueName = aws_sqs_queue.spill.name }",
        "wiring: failures raise alarms",
        "ticks: no alarm watches ApproximateAgeOfOldestMessage",
    ),
]
