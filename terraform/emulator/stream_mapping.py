"""Plays a DynamoDB stream mapping of Lambda by AWS's rules for failing batches, which the emulator does not have.

It reads the deployed mapping's own settings (filter, batch size, retries, bisection, response type, on-failure queue),
reads the emulator's stream, and invokes the deployed function. Differences to AWS: one shard, and no pause between retries.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from target import Target

Record = dict[str, Any]

# The invocation itself failed, so that no record of the batch is known to be done.
WHOLE_BATCH = -1


@dataclass
class StreamMapping:
    """One mapping from a position of the stream onwards."""

    target: Target
    settings: dict[str, Any]
    iterator: str = ""
    invocations: int = 0
    given_up: list[Record] = field(default_factory=list)

    def start_at_the_end(self) -> None:
        """Everything written from now on is delivered."""
        streams = self.target.client("dynamodbstreams")
        arn = self.settings["EventSourceArn"]
        shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
        self.iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="LATEST")[
            "ShardIterator"
        ]

    def deliver(self) -> int:
        """Reads what has come and delivers it; returns how many records passed the filter."""
        reply = self.target.client("dynamodbstreams").get_records(ShardIterator=self.iterator, Limit=1000)
        self.iterator = reply["NextShardIterator"]
        records = [record for record in map(_wire, reply["Records"]) if self._passes(record)]
        size = int(self.settings.get("BatchSize", 100))
        for start in range(0, len(records), size):
            self._batch(records[start : start + size])
        return len(records)

    def _batch(self, records: list[Record]) -> None:
        """Delivers one batch until it is done or given up."""
        if not records:
            return
        limit = int(self.settings.get("MaximumRetryAttempts", -1))
        if limit < 0:
            raise AssertionError("the mapping retries for ever: a poison record would block its shard for a day")
        attempts = 0
        while True:
            failed_from = self._invoke(records)
            if failed_from is None:
                return
            if failed_from == WHOLE_BATCH and self.settings.get("BisectBatchOnFunctionError") and len(records) > 1:
                # Splitting does not count as a retry.
                middle = (len(records) + 1) // 2
                self._batch(records[:middle])
                self._batch(records[middle:])
                return
            if failed_from > 0:
                # What came before the lowest failing record is checkpointed; only the rest is tried again.
                records, attempts = records[failed_from:], 0
                continue
            # A report of the very first record leaves the same batch: nothing promises that it is split then.
            attempts += 1
            if attempts > limit:
                self._give_up(records, attempts)
                return

    def _invoke(self, records: list[Record]) -> int | None:
        """Index of the first failed record, `WHOLE_BATCH` for a failed invocation, or nothing when the batch is done."""
        self.invocations += 1
        reply = self.target.client("lambda").invoke(
            FunctionName=self.settings["FunctionName"],
            Payload=json.dumps({"Records": [{**r, "eventSourceARN": self.settings["EventSourceArn"]} for r in records]}),
        )
        body = json.loads(reply["Payload"].read() or b"null")
        if reply.get("FunctionError"):
            return WHOLE_BATCH
        if "ReportBatchItemFailures" not in self.settings.get("FunctionResponseTypes", []):
            return None
        failures = {item.get("itemIdentifier") for item in (body or {}).get("batchItemFailures", [])}
        if not failures:
            return None
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        known = [index for index, number in enumerate(numbers) if number in failures]
        # An identifier that is not in the batch fails the whole batch, as on AWS.
        return min(known) if len(known) == len(failures) else WHOLE_BATCH

    def _give_up(self, records: list[Record], attempts: int) -> None:
        """Sends the destination record: where in the stream to find what was given up, not the data itself."""
        self.given_up += records
        destination = self.settings.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
        if not destination:
            raise AssertionError("a record was given up and the mapping has no on-failure destination")
        queue = self.target.client("sqs").get_queue_url(QueueName=destination.rsplit(":", 1)[-1])["QueueUrl"]
        now = datetime.now(timezone.utc).isoformat()
        message = {
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": self.settings["FunctionName"],
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": attempts,
            },
            "version": "1.0",
            "timestamp": now,
            "DDBStreamBatchInfo": {
                "startSequenceNumber": records[0]["dynamodb"]["SequenceNumber"],
                "endSequenceNumber": records[-1]["dynamodb"]["SequenceNumber"],
                "batchSize": len(records),
                "streamArn": self.settings["EventSourceArn"],
            },
        }
        self.target.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(message))

    def _passes(self, record: Record) -> bool:
        filters = self.settings.get("FilterCriteria", {}).get("Filters", [])
        return not filters or any(_matches(json.loads(item["Pattern"]), record) for item in filters)


def _matches(pattern: dict[str, Any], value: Any) -> bool:
    """Filter patterns as far as the stack uses them: nested objects, exact values and prefixes."""
    for name, wanted in pattern.items():
        found = value.get(name) if isinstance(value, dict) else None
        if isinstance(wanted, dict):
            if not _matches(wanted, found):
                return False
        elif not any(
            isinstance(found, str) and found.startswith(item["prefix"]) if isinstance(item, dict) else found == item
            for item in wanted
        ):
            return False
    return True


def _wire(record: Record) -> Record:
    """A record of the Streams API in the shape in which Lambda passes it on."""
    image = record["dynamodb"]
    return {
        **record,
        "dynamodb": {
            **image,
            "ApproximateCreationDateTime": time.mktime(image["ApproximateCreationDateTime"].timetuple())
            if isinstance(image.get("ApproximateCreationDateTime"), datetime)
            else image.get("ApproximateCreationDateTime"),
        },
    }
