"""What no sender says: an alert that is forgotten, a source that is silent, a silence that is over."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from checks_way import accepted
from runner import Runner, eventually, expect
from world import World

EVENTS = Path(__file__).resolve().parents[2] / "events"
# The clock strikes once a minute, and the emulator looks at it every ten seconds.
TWO_MINUTES = 150.0
QUIET = "quiet"


@dataclass(frozen=True)
class Upkeep:
    """What began early, because it takes a minute or two."""

    forgotten: str


def begin(world: World) -> Upkeep:
    """An alert of the source that `policy.yaml` gives a minute; nobody speaks of it again."""
    body = (EVENTS / "opsgenie" / "firing.json").read_text()
    return Upkeep(str(accepted(world.send("/webhooks/opsgenie", body))["incident_id"]))


def run(runner: Runner, world: World, upkeep: Upkeep) -> None:
    """All checks of what the clock sees to, and of silences."""
    runner.check("the schedule asks the deciding function for a sweep", _asked, world)
    runner.check("an alert that its sender forgets expires, and its incident resolves", _expires, world, upkeep)
    runner.check("a source that should speak and does not raises an incident", _silent, world)
    runner.check("a silence keeps on-call from hearing, and its end lets them hear", _silence, world)


def _asked(world: World) -> None:
    rule = next(name for name in world.outputs["rules"] if name.endswith("-sweep"))
    targets = world.target.client("events").list_targets_by_rule(Rule=rule)["Targets"]
    expect([json.loads(target["Input"]) for target in targets] == [{"op": "sweep"}], f"{targets}")
    well, answer = world.ask(json.loads(targets[0]["Input"]))
    expect(well and answer["failed"] == 0 and answer["looked_at"] >= 1, f"{answer}")


def _expires(world: World, upkeep: Upkeep) -> None:
    world.wait_for(upkeep.forgotten, "alert.expired", TWO_MINUTES)
    world.wait_for(upkeep.forgotten, "incident.resolved")
    eventually("the end is told", lambda: world.messages_about(upkeep.forgotten, "resolved"))


def _silent(world: World) -> None:
    def found() -> list[dict[str, Any]]:
        metas = [item for item in world.items() if item["sk"]["S"] == "META" and "silent-source" in item["body"]["S"]]
        return [item for item in metas if "pagerduty" in item["body"]["S"]]

    metas = eventually("an incident about the silent source", found, TWO_MINUTES)
    expect(len(metas) == 1, f"{len(metas)} incidents")
    eventually("on-call is told", lambda: world.messages_about("silent", "pagerduty"))


def _silence(world: World) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    well, silence = world.ask(
        {
            "op": "silence_add",
            "owner": "ana",
            "reason": "database move, CHG-42",
            "matchers": [f'service="{QUIET}"'],
            "ends_at": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    )
    expect(well, f"{silence}")
    body = world.alert("i-0aaaaaaaaaaaaaaa9", QUIET, monitor="quiet-please", lasted=0)
    incident = str(accepted(world.send("/webhooks/sumologic", body))["incident_id"])
    world.wait_for(incident, "incident.suppressed")
    time.sleep(5)
    expect(not world.messages_about(incident), "on-call was told of what is silenced")

    well, listed = world.ask({"op": "silence_list"})
    mine = [shown for shown in listed["silences"] if shown["id"] == silence["id"]]
    expect(well and len(mine) == 1 and mine[0]["state"] == "active" and len(mine[0]["mutes"]) == 1, f"{listed}")
    well, answer = world.ask({"op": "silence_expire", "id": silence["id"], "by": "ana"})
    expect(well, f"{answer}")
    world.wait_for(incident, "incident.unmuted")
    eventually("on-call hears of it now", lambda: world.messages_about(incident))
    well, answer = world.ask({"op": "silence_expire", "id": "sil_01K9ZJ5V8E3R0Q4T6Y8W2B5N7M", "by": "ana"})
    expect(not well and answer["errorType"] == "SilenceNotFound", f"{answer}")
