"""What people decide: a plan that waits for an approval."""

from __future__ import annotations

import json
from typing import Any

from checks_way import accepted
from runner import Runner, eventually, expect
from world import World

# The service that `runbooks/restart-approved-api.yaml` asks before it touches.
SERVICE = "approved"


def run(runner: Runner, world: World) -> None:
    runner.check("a plan waits for a person, and the yes to that very plan reboots once", _approved, world)


def _decide(world: World, request: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
    """Invokes the deciding function as a person with the right to do so; whether it went well, and the answer."""
    name = next(name for name in world.outputs["functions"] if name.endswith("-runbook_action"))
    reply = world.target.client("lambda").invoke(FunctionName=name, Payload=json.dumps(request).encode())
    return "FunctionError" not in reply, json.loads(reply["Payload"].read() or b"null")


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
    well, answer = _decide(world, {**approve, "token": another})
    expect(not well and answer.get("errorType") == "Refused", f"another plan was approved: {answer}")
    well, answer = _decide(world, {**approve, "token": f"{incident}.1.{plan}"})
    expect(well, f"the approval was refused: {answer}")
    well, answer = _decide(world, {**approve, "token": f"{incident}.1.{plan}"})
    expect(not well, "an approval worked twice")

    world.wait_for(incident, "step.confirmed")
    world.resolve(instance, SERVICE)
    world.wait_for(incident, "incident.resolved")
    world.wait_for_executions(incident)
    expect(len(world.recorder.reboots(instance)) == 1, f"{len(world.recorder.reboots(instance))} reboot calls")
