"""What must not happen when senders, functions and connections misbehave."""

from __future__ import annotations

import json
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import ec2_recorder
from checks_way import accepted
from runner import Runner, eventually, expect
from stream_mapping import StreamMapping
from world import World

STORM = 50


def run(runner: Runner, world: World) -> None:
    """All checks; the poison record is last because it takes the stream over."""
    runner.check("a request without a token is answered 401 and stores nothing", _unauthenticated, world, None)
    runner.check("a request with a wrong token is answered 401 and stores nothing", _unauthenticated, world, "wrong")
    runner.check("malformed JSON is answered 202, kept and named", _malformed, world)
    runner.check("an unknown source is turned away with 404", _unknown_source, world)
    runner.check("a body that is too large is answered 413 and stores nothing", _too_large, world)
    runner.check(f"{STORM} times the same alert at once: one incident, one reboot", _storm, world)
    runner.check("function killed before its call: no second reboot, and the run ends", _cut, world, ec2_recorder.KILL)
    runner.check("connection lost before the call: no second reboot, and the run ends", _cut, world, ec2_recorder.RESET)
    runner.check("answer lost after the call: no second reboot, and the run ends", _cut, world, ec2_recorder.DROP_REPLY)
    runner.check("silence after the call: no second reboot, and the run ends", _cut, world, ec2_recorder.HANG)
    runner.check("an aborted execution is taken up by a human", _aborted, world)
    runner.check("a poison record goes to the dead-letter queue and the others pass", _poison, world)


def _stored(world: World) -> set[str]:
    """What there is a record of. Counters and further events of an incident that goes on are not news."""
    return {item["pk"]["S"] for item in world.items() if not item["pk"]["S"].startswith("COUNT#")}


def _unauthenticated(world: World, token: str | None) -> None:
    before = _stored(world)
    reply = world.send("/webhooks/sumologic", world.alert("i-0123456789abcdef0", "nobody"), token)
    expect(reply.status == 401, f"{reply.status} {reply.body}")
    time.sleep(1)
    expect(_stored(world) == before, f"stored {_stored(world) - before}")


def _malformed(world: World) -> None:
    text = "{nothing that a sender of alerts would send"
    reply = world.send("/webhooks/sumologic", text)
    expect(reply.status == 202, f"{reply.status} {reply.body}")
    expect(reply.body.get("accepted") == [], f"{reply.body}")
    expect(len(reply.body["quarantined"]) == 1, f"{reply.body}")
    entry = reply.body["quarantined"][0]
    expect({"id", "index", "error"} <= set(entry), f"{entry}")
    expect({"code", "message"} <= set(entry["error"]), f"{entry}")
    kept = [item for item in world.items() if item["pk"]["S"].startswith("QUAR#sumologic")]
    expect([item for item in kept if item["sk"]["S"] == entry["id"]], f"{entry['id']} is not among the kept")
    bodies = [item["body"]["B"] for item in world.items() if item["pk"]["S"] == f"QUARBODY#{entry['id']}"]
    expect(len(bodies) == 1, f"{len(bodies)} parts of the body")
    expect(zlib.decompress(bodies[0], wbits=-15).decode() == text, "the body was not kept as it came")


def _unknown_source(world: World) -> None:
    reply = world.send("/webhooks/nobody", "{}")
    expect(reply.status == 404, f"{reply.status} {reply.body}")


def _too_large(world: World) -> None:
    before = _stored(world)
    body = json.dumps({"schema": "firebreak.sumologic.v1", "results": "x" * 2_000_000})
    reply = world.send("/webhooks/sumologic", body)
    expect(reply.status == 413, f"{reply.status} {reply.body}")
    expect(_stored(world) == before, f"stored {_stored(world) - before}")


def _storm(world: World) -> None:
    instance, service = world.new_instance("storm"), "storm"
    body = world.alert(instance, service)
    with ThreadPoolExecutor(STORM) as senders:
        replies = list(senders.map(lambda _: world.send("/webhooks/sumologic", body), range(STORM)))
    entries = [accepted(reply) for reply in replies]
    incidents = {entry["incident_id"] for entry in entries}
    expect(len(incidents) == 1, f"{len(incidents)} incidents")
    opened = [entry for entry in entries if entry["outcome"] == "opened"]
    expect(len(opened) == 1, f"{len(opened)} answers said opened")
    incident = incidents.pop()
    world.wait_for(incident, "step.confirmed")
    world.resolve(instance, service)
    world.wait_for(incident, "incident.resolved")
    world.wait_for_executions(incident)
    expect(len(world.recorder.reboots(instance)) == 1, f"{len(world.recorder.reboots(instance))} reboot calls")
    types = world.types(incident)
    for once in ("incident.opened", "alert.fired", "run.planned"):
        expect(types.count(once) <= 1, f"{types.count(once)} times {once}")


def _cut(world: World, fault: str) -> None:
    service = f"cut-{fault.replace('_', '-')}"
    instance = world.new_instance(service)
    world.recorder.break_next_reboot(instance, fault)
    incident = str(accepted(world.fire(instance, service))["incident_id"])
    eventually("the reboot call", lambda: world.recorder.reboots(instance), 60)
    world.wait_for(incident, "step.unknown", 90)
    types = world.types(incident)
    expect(types.index("step.sent") < types.index("step.unknown"), f"{types}")
    world.resolve(instance, service)
    world.wait_for(incident, "run.ended", 120)
    world.wait_for_executions(incident)
    calls = world.recorder.reboots(instance)
    expect(len(calls) == 1, f"{len(calls)} reboot calls: {calls}")
    expect(world.types(incident).count("step.sent") == 1, f"{world.types(incident)}")
    if fault == ec2_recorder.KILL:
        expect(world.recorder.killed, "no process was killed")


def _aborted(world: World) -> None:
    instance, service = world.new_instance("aborted"), "aborted"
    incident = str(accepted(world.fire(instance, service))["incident_id"])
    world.wait_for(incident, "step.confirmed")
    for execution in world.executions(incident):
        if execution["status"] == "RUNNING":
            world.target.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    world.wait_for(incident, "incident.escalated", 60)
    eventually("a message that asks for a human", lambda: world.messages_about(incident, "escalated"))
    expect(len(world.recorder.reboots(instance)) == 1, f"{len(world.recorder.reboots(instance))} reboot calls")


def _poison(world: World) -> None:
    streams = {key: item for key, item in world.outputs["mappings"].items() if ":dynamodb:" in item["EventSourceArn"]}
    expect(len(streams) == 1, f"{len(streams)} stream mappings")
    (identifier, settings), = streams.items()
    # The emulator's own mapping knows neither partial failures nor retries; it is replaced by one that does.
    world.target.client("lambda").update_event_source_mapping(UUID=identifier, Enabled=False)
    time.sleep(2)
    mapping = StreamMapping(world.target, settings)
    mapping.start_at_the_end()
    dynamodb = world.target.client("dynamodb")
    poisoned = "POISON00000000000000000000"
    before = world.fire(world.new_instance("before"), "before")
    dynamodb.put_item(
        TableName=world.table,
        Item={
            "pk": {"S": f"INC#{poisoned}"},
            "sk": {"S": "EVT#0000000001"},
            "type": {"S": "alert.fired"},
            "at": {"S": "2026-01-01T00:00:00Z"},
            "service": {"S": "poison"},
            "severity": {"S": "critical"},
            "title": {"S": "poison"},
            "body": {"S": "{this is not an event"},
        },
    )
    after = world.fire(world.new_instance("after"), "after")
    expect(mapping.deliver() >= 5, "the filter let fewer records through than were written")

    queue = settings["DestinationConfig"]["OnFailure"]["Destination"].rsplit(":", 1)[-1]
    url = world.outputs["queues"][queue]["url"]
    messages = world.target.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    expect(len(messages) == 1, f"{len(messages)} messages in the dead-letter queue")
    where = json.loads(messages[0]["Body"])["DDBStreamBatchInfo"]
    expect(where["batchSize"] == 1, f"{where['batchSize']} records were given up with the poison")
    given_up = mapping.given_up[0]["dynamodb"]
    expect(given_up["Keys"]["pk"]["S"] == f"INC#{poisoned}", f"given up: {given_up['Keys']}")
    expect(where["startSequenceNumber"] == given_up["SequenceNumber"], f"{where}")
    for reply in (before, after):
        incident = str(accepted(reply)["incident_id"])
        eventually(
            f"{incident} on the bus",
            lambda: {"incident.opened", "alert.fired"} <= {item["type"] for item in world.events_on_the_bus(incident)},
        )
    expect(not world.events_on_the_bus(poisoned), "the poison record reached the bus")
