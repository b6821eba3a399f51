"""The way of one alert through the deployed stack, from the webhook to the told resolve."""

from __future__ import annotations

import json
import time
from typing import Any

from runner import Runner, eventually, expect
from world import World

# What a healed incident's record holds, in this order, with other events between.
HEALED = [
    "incident.opened",
    "alert.fired",
    "run.started",
    "step.claimed",
    "step.sent",
    "step.confirmed",
    "alert.resolved",
    "step.verified",
]
# What ends it, in either order.
ENDED = {"run.ended", "incident.resolved"}


def run(runner: Runner, world: World) -> None:
    """All checks of the healthy way; later ones need the incident of the first."""
    runner.check("GET /healthz answers 200", _healthz, world)
    instance = world.new_instance("api")
    incident = runner.check("an alert of Sumo Logic is answered 202 and opens an incident", _opens, world, instance)
    opened = time.time()
    if incident is None:
        return
    runner.check("the incident and its first events are in the table", _stored, world, incident)
    runner.check("one execution runs and reboots the instance once", _reboots_once, world, incident, instance, opened)
    runner.check("a redelivered bus event does not reboot again", _redelivered, world, incident, instance)
    runner.check("on-call was told that the incident opened", _told, world, incident)
    runner.check("the recovery is accepted and the incident resolves", _resolves, world, incident, instance)
    runner.check("every execution of the incident succeeded, the last one by closing it", _succeeded, world, incident)
    runner.check("the record tells the whole way, in order and without a gap", _whole_record, world, incident)
    runner.check("the bus carried every event of the record", _on_the_bus, world, incident)
    runner.check("on-call was told that the incident resolved", _resolve_told, world, incident)
    runner.check("an event after the end starts no second reboot", _after_the_end, world, incident, instance)


def _healthz(world: World) -> None:
    reply = world.send("/healthz", None, token=None)
    expect(reply.status == 200, f"{reply.status} {reply.body}")


def accepted(reply: Any) -> dict[str, Any]:
    """The one accepted alert of an answer, whose shape senders and scripts rely on."""
    expect(reply.status == 202, f"{reply.status} {reply.body}")
    expect(set(reply.body) == {"accepted", "quarantined"}, f"unexpected body {reply.body}")
    expect(reply.body["quarantined"] == [], f"quarantined {reply.body['quarantined']}")
    expect(len(reply.body["accepted"]) == 1, f"expected one alert in {reply.body}")
    entry: dict[str, Any] = reply.body["accepted"][0]
    expect({"fingerprint", "incident_id", "outcome"} <= set(entry), f"unexpected entry {entry}")
    return entry


def _opens(world: World, instance: str) -> str:
    entry = accepted(world.fire(instance, "api"))
    expect(entry["outcome"] == "opened", f"outcome {entry['outcome']}")
    return str(entry["incident_id"])


def _stored(world: World, incident: str) -> None:
    meta = world.meta(incident)
    expect(meta, "no META item")
    expect({"version", "body", "status", "service"} <= set(meta), f"META has {sorted(meta)}")
    expect(meta["service"]["S"] == "api", f"service {meta['service']}")
    expect(world.types(incident)[:2] == ["incident.opened", "alert.fired"], f"{world.types(incident)}")


def _reboots_once(world: World, incident: str, instance: str, opened: float) -> None:
    world.wait_for(incident, "step.confirmed")
    calls = world.recorder.reboots(instance)
    expect(len(calls) == 1, f"{len(calls)} reboot calls")
    expect(calls[0].forwarded and calls[0].instances == (instance,), f"{calls[0]}")
    expect(len(world.executions(incident)) >= 1, "no execution")
    print(f"       from the webhook's answer to the reboot: {calls[0].at - opened:.1f} s", flush=True)


def put_fired_again(world: World, incident: str) -> None:
    """Puts the incident's first `alert.fired` on the bus again, as a redelivery or a replay would."""
    details = [item for item in world.events_on_the_bus(incident) if item["type"] == "alert.fired"]
    expect(details, "the bus carried no alert.fired")
    entry = {
        "Source": "firebreak",
        "DetailType": "alert.fired",
        "EventBusName": world.outputs["bus"],
        "Detail": json.dumps(details[0]),
    }
    reply = world.target.client("events").put_events(Entries=[entry])
    expect(reply["FailedEntryCount"] == 0, f"{reply}")


def _redelivered(world: World, incident: str, instance: str) -> None:
    before = len(world.executions(incident))
    put_fired_again(world, incident)
    eventually("a second execution", lambda: len(world.executions(incident)) > before)
    # The first run is waiting for its evidence all this time; the second one asks what is next beside it.
    eventually("an answer to each driver", lambda: all(world.directives(item) for item in world.executions(incident)))
    expect(len(world.recorder.reboots(instance)) == 1, f"{len(world.recorder.reboots(instance))} reboot calls")
    expect(world.types(incident).count("step.sent") == 1, f"{world.types(incident)}")


def _told(world: World, incident: str) -> None:
    eventually("a message about the opened incident", lambda: world.messages_about(incident))


def _resolves(world: World, incident: str, instance: str) -> None:
    entry = accepted(world.resolve(instance, "api"))
    expect(entry["outcome"] == "resolved", f"outcome {entry['outcome']}")
    expect(entry["incident_id"] == incident, f"another incident: {entry}")
    world.wait_for(incident, "incident.resolved")
    eventually("META says resolved", lambda: world.meta(incident)["status"]["S"] == "resolved")


def _succeeded(world: World, incident: str) -> None:
    states = {item["status"] for item in world.wait_for_executions(incident)}
    expect(states == {"SUCCEEDED"}, f"{states}")
    expect(world.types(incident)[-1] == "incident.closed", f"{world.types(incident)}")


def _whole_record(world: World, incident: str) -> None:
    record = world.record(incident)
    expect([event["seq"] for event in record] == list(range(1, len(record) + 1)), "the sequence has a gap")
    types = iter(event["type"] for event in record)
    missing = [wanted for wanted in HEALED if wanted not in types]
    missing += sorted(ENDED - set(types))
    expect(not missing, f"{missing} missing or out of order in {' '.join(world.types(incident))}")


def _on_the_bus(world: World, incident: str) -> None:
    wanted = {f"{incident}:{event['seq']}" for event in world.record(incident)}

    def carried() -> bool:
        return wanted <= {detail["event_id"] for detail in world.events_on_the_bus(incident)}

    eventually(f"{len(wanted)} events on the bus", carried)
    by_type = {event["seq"]: event["type"] for event in world.record(incident)}
    for detail in world.events_on_the_bus(incident):
        expect(by_type[detail["seq"]] == detail["type"], f"{detail['event_id']} says {detail['type']}")
        expect(isinstance(detail["event"], dict), f"{detail['event_id']} carries no event object")


def _resolve_told(world: World, incident: str) -> None:
    eventually("a message about the resolve", lambda: world.messages_about(incident, "resolved"))


def _after_the_end(world: World, incident: str, instance: str) -> None:
    before = len(world.executions(incident))
    put_fired_again(world, incident)
    states = {item["status"] for item in world.wait_for_executions(incident, before + 1)}
    expect(states == {"SUCCEEDED"}, f"{states}")
    expect(len(world.recorder.reboots(instance)) == 1, f"{len(world.recorder.reboots(instance))} reboot calls")
