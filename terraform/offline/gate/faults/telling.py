"""Faults in how people are told when it is time: the notifier's ticks."""

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
]
