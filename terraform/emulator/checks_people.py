"""What people decide and hear: a plan that waits for an approval, and alerts that are told together."""

from __future__ import annotations

import time
from typing import Any

from checks_way import accepted
from runner import Runner, eventually, expect
from world import World, moment

# The service that `runbooks/restart-approved-api.yaml` asks before it touches.
SERVICE = "approved"
# The service whose alerts `policy.yaml` tells together, and how long it gives them.
GROUPED = "grouped"
GROUP_WAIT = 8


def run(runner: Runner, world: World) -> None:
    runner.check("a plan waits for a person, and the yes to that very plan reboots once", _approved, world)
    runner.check("alerts of a group are told together when its wait is over, and so is their end", _told_together, world)


def _approved(world: World) -> None:
    instance = world.new_instance(SERVICE)
    incident = str(accepted(world.fire(instance, SERVICE))["incident_id"])
    world.wait_for(incident, "approval.requested")
    eventually("on-call asked for an approval", lambda: world.messages_about(incident, "approval"))
    asked = next(event for event in world.record(incident) if event["type"] == "approval.requested")
    plan = asked["event"]["plan_hash"]
    expect(world.recorder.reboots(instance) == [], "rebooted before anybody approved")

    approve = {"op": "approve", "by": "ana"}
    another = f"{incident}.1.plan1_{'0' * 32}"
    well, answer = world.ask({**approve, "token": another})
    expect(not well and answer.get("errorType") == "Refused", f"another plan was approved: {answer}")
    well, answer = world.ask({**approve, "token": f"{incident}.1.{plan}"})
    expect(well, f"the approval was refused: {answer}")
    well, answer = world.ask({**approve, "token": f"{incident}.1.{plan}"})
    expect(not well, "an approval worked twice")

    world.wait_for(incident, "step.confirmed")
    world.resolve(instance, SERVICE)
    world.wait_for(incident, "incident.resolved")
    world.wait_for_executions(incident)
    expect(len(world.recorder.reboots(instance)) == 1, f"{len(world.recorder.reboots(instance))} reboot calls")


def _flushes(world: World, incident: str) -> list[dict[str, Any]]:
    """What on-call was told of the group, in order."""
    told = [event["event"] for event in world.record(incident) if event["type"] == "channel.notified"]
    return [event["flush"] for event in told if event["delivered"] and "flush" in event]


def _told_together(world: World) -> None:
    def send(instance: str, trigger: str) -> str:
        # No runbook is for this monitor, and nothing happens to the incident while the group waits.
        body = world.alert(instance, GROUPED, trigger, monitor="told-together", lasted=0)
        return str(accepted(world.send("/webhooks/sumologic", body))["incident_id"])

    instances = ["i-0aaaaaaaaaaaaaaa1", "i-0aaaaaaaaaaaaaaa2"]
    began = time.time()
    incident, *others = [send(instance, "Critical") for instance in instances]
    expect(others == [incident], f"another incident: {others}")
    first = eventually("the group is told", lambda: _flushes(world, incident))[0]
    expect(first["because"] == "first" and len(first["firing"]) == len(instances), f"{first}")
    waited = moment(first["at"]) - began
    expect(waited >= GROUP_WAIT, f"told after {waited:.1f} s")
    print(f"       from the first alert to the message: {waited:.1f} s of at least {GROUP_WAIT} s", flush=True)
    eventually("a message about the group", lambda: world.messages_about(incident))

    for instance in instances:
        send(instance, "ResolvedCritical")
    world.wait_for(incident, "incident.resolved")
    eventually("the end is told", lambda: _flushes(world, incident)[-1]["because"] == "all_resolved")
