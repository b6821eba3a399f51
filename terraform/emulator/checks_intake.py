"""Alerts that AWS itself sends, and what happens to any alert while the table cannot be reached."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Iterator

from runner import Runner, eventually, expect
from world import World

EVENTS = Path(__file__).resolve().parents[2] / "events"
# On AWS a failed message comes again after two and a half minutes.
HIDDEN_SECONDS = 3
MOST_RECEIVES = 2


def run(runner: Runner, world: World) -> None:
    """All checks of what comes in beside webhooks."""
    _hurry(world)
    runner.check("an alarm on the default bus opens an incident, and its OK resolves it", _alarm_on_the_bus, world)
    runner.check("an alarm by way of a topic opens an incident", _alarm_by_topic, world)
    runner.check("an event that is no alert opens nothing", _no_alert, world)
    runner.check("an alarm waits while the table cannot be reached", _alarm_waits, world)
    runner.check("a delivery is answered 202 and waits while the table cannot be reached", _delivery_waits, world)
    runner.check("a message that is never taken in goes to the dead letters", _poison, world)


def _hurry(world: World) -> None:
    for key in ("-alert-events", "-spill.fifo"):
        world.target.client("sqs").set_queue_attributes(
            QueueUrl=_queue(world, key), Attributes={"VisibilityTimeout": str(HIDDEN_SECONDS)}
        )


def _queue(world: World, ending: str) -> str:
    return next(queue["url"] for name, queue in world.outputs["queues"].items() if name.endswith(ending))


def _alarm(world: World, name: str, value: str) -> dict[str, Any]:
    """The event of an alarm that changes its state now."""
    event = json.loads((EVENTS / "cloudwatch" / "firing.json").read_text().replace("checkout-cpu-high", name))
    now = datetime.now(UTC)
    event["detail"]["state"] |= {"value": value, "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"}
    event["detail"]["previousState"] |= {"value": "OK" if value == "ALARM" else "ALARM"}
    return event | {"id": str(uuid.uuid4()), "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "account": world.target.account}


def _put(world: World, event: dict[str, Any]) -> None:
    """As AWS puts an event of its own on the default bus."""
    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Resources": event["resources"],
        "Detail": json.dumps(event["detail"]),
    }
    reply = world.target.client("events").put_events(Entries=[entry])
    expect(reply["FailedEntryCount"] == 0, f"{reply}")


def _incidents(world: World, name: str) -> list[str]:
    """The incidents that hold an alert of this name."""
    return sorted(
        {
            item["pk"]["S"].removeprefix("INC#")
            for item in world.items()
            if item["pk"]["S"].startswith("INC#") and item["sk"]["S"] == "META" and name in item["body"]["S"]
        }
    )


def _one_incident(world: World, name: str, seconds: float = 60.0) -> str:
    found = eventually(f"an incident of {name}", lambda: _incidents(world, name), seconds)
    expect(len(found) == 1, f"{len(found)} incidents of {name}")
    return found[0]


def _alarm_on_the_bus(world: World) -> None:
    _put(world, _alarm(world, "bus-alarm", "ALARM"))
    incident = _one_incident(world, "bus-alarm")
    expect(world.types(incident)[:2] == ["incident.opened", "alert.fired"], f"{world.types(incident)}")
    _put(world, _alarm(world, "bus-alarm", "OK"))
    world.wait_for(incident, "incident.resolved")
    expect(world.types(incident).count("incident.resolved") == 1, f"{world.types(incident)}")


def _alarm_by_topic(world: World) -> None:
    text = (EVENTS / "cloudwatch" / "sns_records.json").read_text()
    name = json.loads(json.loads(text)["Records"][0]["Sns"]["Message"])["AlarmName"]
    message = json.loads(text)["Records"][0]["Sns"]["Message"].replace(name, "topic-alarm")
    world.target.client("sns").publish(TopicArn=world.outputs["alarm_topic"], Subject="ALARM", Message=message)
    _one_incident(world, "topic-alarm")


def _no_alert(world: World) -> None:
    def stored() -> set[str]:
        return {
            item["pk"]["S"]
            for item in world.items()
            if item["pk"]["S"].startswith("QUAR#") or (item["pk"]["S"].startswith("INC#") and item["sk"]["S"] == "META")
        }

    before = stored()
    reply = world.target.client("events").put_events(
        Entries=[{"Source": "aws.s3", "DetailType": "Object Created", "Detail": "{}"}]
    )
    expect(reply["FailedEntryCount"] == 0, f"{reply}")
    # What comes after it has come past it.
    _put(world, _alarm(world, "after-the-rest", "ALARM"))
    incident = _one_incident(world, "after-the-rest")
    expect(stored() - before == {f"INC#{incident}"}, f"stored {stored() - before}")


@contextmanager
def _no_table(world: World) -> Iterator[None]:
    """While this lasts, alert_ingest cannot reach the table."""
    function = next(name for name in world.outputs["functions"] if name.endswith("-alert_ingest"))
    role = world.target.client("lambda").get_function_configuration(FunctionName=function)["Role"].rsplit("/", 1)[-1]
    statement = {"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = world.target.client("iam")
    iam.put_role_policy(RoleName=role, PolicyName="outage", PolicyDocument=policy)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="outage")


def _waiting(world: World) -> int:
    """How many messages were handed out, could not be stored, and wait to come again."""

    def hidden(queue: str) -> int:
        reply = world.target.client("sqs").get_queue_attributes(
            QueueUrl=_queue(world, queue), AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
        )
        return int(reply["Attributes"]["ApproximateNumberOfMessagesNotVisible"])

    return hidden("-alert-events") + hidden("-spill.fifo")


def _alarm_waits(world: World) -> None:
    with _no_table(world):
        _put(world, _alarm(world, "outage-alarm", "ALARM"))
        eventually("a try that failed", lambda: _waiting(world) > 0)
        time.sleep(HIDDEN_SECONDS)
        expect(_incidents(world, "outage-alarm") == [], "it was stored although the table cannot be reached")
    incident = _one_incident(world, "outage-alarm")
    expect(world.types(incident).count("alert.fired") == 1, f"{world.types(incident)}")


def _delivery_waits(world: World) -> None:
    instance = world.new_instance("spilled")
    with _no_table(world):
        reply = world.fire(instance, "spilled")
        expect(reply.status == 202, f"{reply.status} {reply.body}")
        expect(reply.body.get("accepted") == [] and reply.body["spilled"]["id"], f"{reply.body}")
        eventually("a try that failed", lambda: _waiting(world) > 0)
        expect(_incidents(world, instance) == [], "it was stored although the table cannot be reached")
    incident = _one_incident(world, instance)
    expect(world.types(incident).count("alert.fired") == 1, f"{world.types(incident)}")
    world.resolve(instance, "spilled")
    world.wait_for(incident, "incident.resolved")


def _poison(world: World) -> None:
    sqs = world.target.client("sqs")
    url = _queue(world, "-spill.fifo")
    redrive = json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"])
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(redrive | {"maxReceiveCount": MOST_RECEIVES})}
    )
    poison = {"version": 99, "id": "poison", "source": "sumologic", "received_at": "2026-01-01T00:00:00Z", "body": ""}
    sqs.send_message(
        QueueUrl=url, MessageBody=json.dumps(poison), MessageGroupId="poison", MessageDeduplicationId="poison"
    )
    dead = _queue(world, "-spill-dead-letters.fifo")
    given_up = eventually(
        "the poison among the dead letters",
        lambda: sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages"),
        90,
    )
    expect([json.loads(message["Body"])["id"] for message in given_up] == ["poison"], f"{given_up}")
