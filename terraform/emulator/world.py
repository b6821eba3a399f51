"""The deployed stack as the checks see it: senders, instances, the record, the bus, the topic and the executions."""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ec2_recorder import Recorder
from runner import eventually
from target import Target

# The text that the Sumo Logic connection of this project sends.
TEMPLATE = Path(__file__).resolve().parents[2] / "sumo" / "payload.json"

TOKEN = "emulator-check-token-current-0123456789abcdef"
SECRET = {
    "sources": {"sumologic": [TOKEN, "emulator-check-token-previous-0123456789abcdef"], "opsgenie": [TOKEN]},
    "channels": {},
}


@dataclass(frozen=True)
class Reply:
    """What a sender got back."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Inbox:
    """A queue that the checks subscribed; everything that ever came is kept."""

    target: Target
    url: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def drain(self) -> list[dict[str, Any]]:
        """All messages so far, in the order in which they came."""
        sqs = self.target.client("sqs")
        with self._lock:
            while True:
                batch = sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
                for message in batch:
                    self.messages.append(_as_object(message["Body"]))
                    sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                if not batch:
                    return list(self.messages)


class World:
    """Helpers over one deployed stack."""

    def __init__(self, outputs: dict[str, Any], recorder: Recorder) -> None:
        self.outputs = outputs
        self.recorder = recorder
        self.target = Target(outputs["endpoint"], outputs["region"])
        self.table: str = outputs["table"]
        self.bus_events = self._subscribe_to_the_bus()
        self.told = self._subscribe_to_the_topics()

    # Senders

    def url(self, path: str) -> str:
        """Where the emulator serves a path of the HTTP API."""
        return f"{self.outputs['endpoint']}/_aws/execute-api/{self.outputs['api_id']}/$default{path}"

    def send(self, path: str, body: str | None, token: str | None = TOKEN) -> Reply:
        """One request of a sender, as it would come from outside."""
        request = urllib.request.Request(
            self.url(path), data=None if body is None else body.encode(), method="GET" if body is None else "POST"
        )
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return Reply(reply.status, _as_object(reply.read().decode()), dict(reply.headers))
        except urllib.error.HTTPError as error:
            return Reply(error.code, _as_object(error.read().decode()), dict(error.headers))

    def alert(
        self, instance: str, service: str, trigger: str = "Critical", monitor: str = "slow-api-data", lasted: int = 300
    ) -> str:
        """What the Sumo Logic connection sends for one group of the monitor: its template, filled in as Sumo Logic does."""
        now = int(time.time() * 1000)
        recovery = trigger.startswith("Resolved")
        # A recovery has no results to take group values from.
        group = {} if recovery else {"service": service, "env": "test", "instance_id": instance}
        variables = {
            "Id": "00000000000A11CE",
            "Name": monitor,
            "AlertName": monitor,
            "TriggerType": trigger,
            "MonitorType": "Logs",
            "DetectionMethod": "LogsStaticCondition",
            "TriggerTimeStart": str(now - lasted * 1000),
            "TriggerTimeEnd": str(now),
            "TriggerCondition": "Greater than 5 in the last 10 minutes",
            "TriggerValue": "0" if recovery else "7",
            "NumQueryResults": "0" if recovery else "1",
            "AlertResponseUrl": f"https://service.sumologic.example/ui/#/alert/{instance}",
            "ResultsJson": json.dumps(json.dumps([group]))[1:-1] if group else "",
            **{f"ResultsJson.{name}": value for name, value in group.items()},
        }
        # A variable without a value leaves nothing between the quotes.
        return re.sub(r"\{\{([^}]*)\}\}", lambda found: variables.get(found[1], ""), TEMPLATE.read_text())

    def fire(self, instance: str, service: str) -> Reply:
        """The alert of one instance."""
        return self.send("/webhooks/sumologic", self.alert(instance, service))

    def resolve(self, instance: str, service: str) -> Reply:
        """Its recovery."""
        return self.send("/webhooks/sumologic", self.alert(instance, service, "ResolvedCritical"))

    def ask(self, request: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
        """Invokes the deciding function as a person with the right to do so; whether it went well, and the answer."""
        name = next(name for name in self.outputs["functions"] if name.endswith("-runbook_action"))
        reply = self.target.client("lambda").invoke(FunctionName=name, Payload=json.dumps(request).encode())
        return "FunctionError" not in reply, json.loads(reply["Payload"].read() or b"null")

    # Infrastructure

    def new_instance(self, service: str) -> str:
        """A running instance that firebreak may touch, with a healthy neighbour: the last one of a group is left alone."""
        tags = [{"Key": "firebreak", "Value": "allow"}, {"Key": "service", "Value": service}]
        reply = self.target.client("ec2").run_instances(
            ImageId="ami-0c2023a1b2c3d4e5f",
            InstanceType="t3.micro",
            MinCount=2,
            MaxCount=2,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
        return reply["Instances"][0]["InstanceId"]

    # The record

    def items(self) -> list[dict[str, Any]]:
        """Everything in the table."""
        pages = self.target.client("dynamodb").get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    def meta(self, incident: str) -> dict[str, Any]:
        """The snapshot of one incident."""
        return self.target.client("dynamodb").get_item(
            TableName=self.table, Key={"pk": {"S": f"INC#{incident}"}, "sk": {"S": "META"}}, ConsistentRead=True
        ).get("Item", {})

    def record(self, incident: str) -> list[dict[str, Any]]:
        """The domain events of one incident, in order, with `seq`, `type` and the parsed body."""
        pages = self.target.client("dynamodb").get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :event)",
            ExpressionAttributeValues={":pk": {"S": f"INC#{incident}"}, ":event": {"S": "EVT#"}},
        )
        return [
            {"seq": int(item["sk"]["S"][4:]), "type": item["type"]["S"], "event": _as_object(item["body"]["S"])}
            for page in pages
            for item in page["Items"]
        ]

    def types(self, incident: str) -> list[str]:
        """The event types of one incident, in order."""
        return [event["type"] for event in self.record(incident)]

    def wait_for(self, incident: str, event_type: str, seconds: float = 60.0) -> None:
        """Until the record has an event of this type."""
        try:
            eventually(event_type, lambda: event_type in self.types(incident), seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; the record is {' '.join(self.types(incident))}") from None

    def events_on_the_bus(self, incident: str) -> list[dict[str, Any]]:
        """What the bus carried about one incident: the details of its events."""
        return [
            message["detail"]
            for message in self.bus_events.drain()
            if message.get("detail", {}).get("incident_id") == incident
        ]

    def messages_about(self, *words: str) -> list[str]:
        """Messages of the on-call topic, with subject and attributes, that hold all these words in any case."""
        texts = [json.dumps(message) for message in self.told.drain()]
        return [text for text in texts if all(word.lower() in text.lower() for word in words)]

    # The workflow

    def executions(self, incident: str) -> list[dict[str, Any]]:
        """The executions that were started for one incident."""
        states = self.target.client("stepfunctions")
        pages = states.get_paginator("list_executions").paginate(stateMachineArn=self.outputs["state_machine"])
        found = [
            states.describe_execution(executionArn=item["executionArn"]) for page in pages for item in page["executions"]
        ]
        return [item for item in found if json.loads(item["input"]).get("incident_id") == incident]

    def directives(self, execution: dict[str, Any]) -> list[dict[str, Any]]:
        """What an execution was told to do, in order."""
        history = self.target.client("stepfunctions").get_paginator("get_execution_history")
        exits = [
            event["stateExitedEventDetails"]
            for page in history.paginate(executionArn=execution["executionArn"])
            for event in page["events"]
            if "stateExitedEventDetails" in event
        ]
        return [json.loads(item["output"])["Payload"] for item in exits if item["name"] == "Advance"]

    def wait_for_executions(self, incident: str, number: int = 1, seconds: float = 90.0) -> list[dict[str, Any]]:
        """Until this many executions have nothing left to do: ended, or waiting for an alert that may come back."""

        def rests(execution: dict[str, Any]) -> bool:
            if execution["status"] != "RUNNING":
                return True
            last = (self.directives(execution) or [{}])[-1]
            until = last.get("until") if last.get("do") == "wait" else None
            # A run looks again within seconds; the reopen window of a resolved incident lasts for minutes.
            return bool(until) and moment(until) - time.time() > 60

        def resting() -> list[dict[str, Any]]:
            found = self.executions(incident)
            return found if len(found) >= number and all(rests(item) for item in found) else []

        return eventually(f"{number} execution(s) of {incident} with nothing left to do", resting, seconds)

    # Subscriptions

    def _new_queue(self, name: str) -> tuple[str, str]:
        sqs = self.target.client("sqs")
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self.target.queue_arn(url)
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return url, arn

    def _subscribe_to_the_bus(self) -> Inbox:
        url, arn = self._new_queue("checks-bus")
        events, bus = self.target.client("events"), self.outputs["bus"]
        events.put_rule(Name="checks", EventBusName=bus, EventPattern=json.dumps({"source": ["firebreak"]}))
        events.put_targets(Rule="checks", EventBusName=bus, Targets=[{"Id": "checks", "Arn": arn}])
        return Inbox(self.target, url)

    def _subscribe_to_the_topics(self) -> Inbox:
        url, arn = self._new_queue("checks-told")
        for topic in self.outputs["topics"].values():
            self.target.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return Inbox(self.target, url)


def moment(text: str) -> float:
    """A moment of the record, in seconds of the epoch."""
    # Python reads at most six digits of a second.
    return datetime.fromisoformat(re.sub(r"\.(\d{6})\d*", r".\1", text).replace("Z", "+00:00")).timestamp()


def _as_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {"text": text}
    return value if isinstance(value, dict) else {"value": value}
