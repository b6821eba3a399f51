"""Faults in what happens when it is time: the notifier's ticks, the sweep, the alarm on the quarantine."""

from .fault import RENDERED, Fault

_TELLING = "test telling"
_TICKS = "terraform/wiring/ticks.json"
_TAKE = 'sqs:ReceiveMessage", "sqs:SendMessage"]\n      resources = [aws_sqs_queue.ticks.arn'

TELLING_FAULTS = [
    Fault(
        "ticks not named",
        "terraform/functions.tf",
        "        (local.ticks.environment) = aws_sqs_queue.ticks.url\n",
        "",
        RENDERED,
        "lacks a variable",
    ),
    Fault(
        "ticks never taken",
        "terraform/notify.tf",
        '"sqs:ReceiveMessage", "sqs:SendMessage"',
        '"sqs:SendMessage"',
        "wiring: queues are drained",
        "may not sqs:ReceiveMessage",
    ),
    Fault(
        "deliveries taken with the ticks",
        "terraform/notify.tf",
        _TAKE,
        f"{_TAKE}, aws_sqs_queue.spill.arn",
        _TELLING,
        "only what waits for it",
    ),
    Fault("ten ticks at a time", _TICKS, '"BatchSize": 1', '"BatchSize": 10', RENDERED, "one at a time"),
    Fault(
        "tick handed out while it is looked at",
        _TICKS,
        '"VisibilityTimeout": "360"',
        '"VisibilityTimeout": "60"',
        "wiring: queues outlast an outage",
        "less than six times",
    ),
    Fault(
        "tick given up too early",
        _TICKS,
        '"max_receive_count": 240',
        '"max_receive_count": 3',
        "wiring: queues outlast an outage",
        "an outage of a day",
    ),
    Fault(
        "clock that has nothing to say",
        "terraform/bus.tf",
        "      input      = jsonencode(local.sweep.input)\n",
        "      input      = null\n",
        "wiring: schedules say what to do",
        "must be an object",
    ),
    Fault(
        "clock on a bus without one",
        "terraform/bus.tf",
        'silent sources looked for.", bus = "default"',
        'silent sources looked for.", bus = "custom"',
        "wiring: schedules say what to do",
        "on the default bus only",
    ),
    Fault(
        "sweep too seldom",
        "terraform/wiring/sweep.json",
        "rate(1 minute)",
        "rate(5 minutes)",
        _TELLING,
        "looked for every minute",
    ),
    Fault(
        "clock that may not call",
        "terraform/bus.tf",
        ', sweep = "runbook_action" }',
        " }",
        "wiring: rules may deliver",
        "may not invoke",
    ),
    Fault(
        "quarantine that nobody watches",
        "terraform/observability.tf",
        "  metric_name         = one(aws_cloudwatch_log_metric_filter.quarantined.metric_transformation).name\n",
        '  metric_name         = "quarantine"\n',
        "wiring: failures raise alarms",
        "no alarm watches",
    ),
]
