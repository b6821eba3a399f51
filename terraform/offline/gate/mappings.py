"""Whether the mappings between streams, queues and functions lose nothing and never stand still."""

from __future__ import annotations

import json
from collections.abc import Iterator

from .finding import Check, Finding
from .state import Policy, Resource, State

_STREAM_ACTIONS = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
_QUEUE_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_A_DAY = 86400


def streams_keep_failures(state: State) -> Iterator[Finding]:
    """Each stream mapping is filtered, bounded, bisects, reports single failures and keeps what failed."""
    for mapping in _of(state, "dynamodb"):
        if not mapping.block("filter_criteria").get("filter"):
            yield Finding(mapping.address, "it has no filter")
        if mapping["function_response_types"] != ["ReportBatchItemFailures"]:
            yield Finding(mapping.address, "it does not report single failures")
        if not mapping["bisect_batch_on_function_error"]:
            yield Finding(mapping.address, "it does not bisect a failed batch")
        for name in ("maximum_retry_attempts", "maximum_record_age_in_seconds"):
            if (mapping[name] or 0) <= 0:
                yield Finding(mapping.address, f"{name} is not finite: one bad record would block its shard")
        if state.find("aws_sqs_queue", arn=_on_failure(mapping)) is None:
            yield Finding(mapping.address, "it has no dead-letter queue")


def streams_may_be_read(state: State) -> Iterator[Finding]:
    """The function behind a stream mapping may read the stream and fill the dead-letter queue."""
    for mapping in _of(state, "dynamodb"):
        policy = _policy_behind(state, mapping)
        table = state.find("aws_dynamodb_table", stream_arn=mapping["event_source_arn"])
        if table is None or not table["stream_enabled"]:
            yield Finding(mapping.address, "its source is no stream of this stack")
        for action in _STREAM_ACTIONS:
            if not policy.allows(action, mapping["event_source_arn"]):
                yield Finding(mapping.address, f"its function may not {action}")
        if _on_failure(mapping) and not policy.allows("sqs:SendMessage", _on_failure(mapping)):
            yield Finding(mapping.address, f"its function may not send to {_on_failure(mapping)}")


def queues_are_drained(state: State) -> Iterator[Finding]:
    """Each queue mapping reports single failures, and its function may take messages from the queue."""
    for mapping in _of(state, "sqs"):
        if mapping["function_response_types"] != ["ReportBatchItemFailures"]:
            yield Finding(mapping.address, "it does not report single failures: one bad message would repeat ten")
        policy = _policy_behind(state, mapping)
        for action in _QUEUE_ACTIONS:
            if not policy.allows(action, mapping["event_source_arn"]):
                yield Finding(mapping.address, f"its function may not {action}")


def queues_outlast_an_outage(state: State) -> Iterator[Finding]:
    """A drained queue hides a message for six times the function's timeout, tries it for a day, and then keeps it."""
    for mapping in _of(state, "sqs"):
        queue = state.find("aws_sqs_queue", arn=mapping["event_source_arn"])
        function = state.function_behind(mapping["function_name"])
        if queue is None or function is None:
            yield Finding(mapping.address, "its queue or its function is not in this stack")
            continue
        hidden = queue["visibility_timeout_seconds"] or 30
        if hidden < 6 * function["timeout"]:
            yield Finding(queue.address, f"a message is hidden for {hidden} s, less than six times the function's timeout")
        redrive = json.loads(queue["redrive_policy"] or "{}")
        dead_letters = state.find("aws_sqs_queue", arn=redrive.get("deadLetterTargetArn"))
        if dead_letters is None:
            yield Finding(queue.address, "it has no dead-letter queue")
            continue
        if bool(dead_letters["fifo_queue"]) != bool(queue["fifo_queue"]):
            yield Finding(queue.address, "a FIFO queue needs FIFO dead letters, and no other queue has them")
        if redrive["maxReceiveCount"] * hidden < _A_DAY:
            yield Finding(queue.address, "an outage of a day would make dead letters of what waits")


def queues_are_fed(state: State) -> Iterator[Finding]:
    """A subscription of a queue may send to it."""
    for subscription in state.of("aws_sns_topic_subscription"):
        if subscription["protocol"] != "sqs":
            continue
        queue = state.find("aws_sqs_queue", arn=subscription["endpoint"])
        if queue is None or not state.queue_policy(queue).allows(
            "sqs:SendMessage", queue["arn"], "sns.amazonaws.com", subscription["topic_arn"]
        ):
            yield Finding(subscription.address, f"its topic may not send to {subscription['endpoint']}")


def _of(state: State, service: str) -> Iterator[Resource]:
    for mapping in state.of("aws_lambda_event_source_mapping"):
        if mapping["event_source_arn"].split(":")[2] == service:
            yield mapping


def _policy_behind(state: State, mapping: Resource) -> Policy:
    function = state.function_behind(mapping["function_name"])
    return state.role_policy(function["role"] if function else None)


def _on_failure(mapping: Resource) -> str | None:
    blocks = mapping.block("destination_config").get("on_failure") or [{}]
    return blocks[0].get("destination_arn")


CHECKS: dict[str, Check] = {
    "wiring: streams keep failures": streams_keep_failures,
    "wiring: streams may be read": streams_may_be_read,
    "wiring: queues are drained": queues_are_drained,
    "wiring: queues outlast an outage": queues_outlast_an_outage,
    "wiring: queues are fed": queues_are_fed,
}
