"""Two Alertmanagers that send the same: what one cannot deliver the other does, and what both deliver counts once."""

from __future__ import annotations

from gate import Mode
from runner import Runner, eventually, expect
from world import World, times, was_once


def run_joined(runner: Runner, world: World) -> None:
    """Checks of a pair that is one cluster."""
    runner.check("one of the pair cannot deliver, the other one does", _one_way, world)


def run_parted(runner: Runner, world: World) -> None:
    """Checks of a pair that is split, so that both send everything."""
    runner.check("both send all of it: one incident, resolved once", _both, world)
    runner.check("a firing that comes after the end does not open it again", _late, world)


def _delivered(world: World, gate: int, service: str, status: str) -> bool:
    """Whether an alert of this service and status was taken through a gate."""
    return any(
        item.status == 202 and alert["labels"].get("service") == service and alert["status"] == status
        for item in world.gates[gate].seen(service)
        for alert in item.body["alerts"]
    )


def _one_way(world: World) -> None:
    for blocked, open_one in ((0, 1), (1, 0)):
        service = f"oneway-{blocked}"
        world.gates[blocked].turn(Mode.REFUSE)
        world.shop.breaks(service, f"{service}-pod")
        world.fires(service, f"{service}-pod")
        expect(_delivered(world, open_one, service, "firing"), "it did not come through the open gate")
        world.shop.mends(service, f"{service}-pod")
        was_once(world.is_over(service))
        expect(not _delivered(world, blocked, service, "firing"), "the closed gate let it through")
        world.gates[blocked].turn(Mode.OPEN)


def _both(world: World) -> None:
    pods = ("both-0", "both-1")
    world.shop.breaks("both", *pods)
    world.fires("both", *pods)
    eventually("firing from both", lambda: all(_delivered(world, gate, "both", "firing") for gate in (0, 1)))
    world.shop.mends("both", *pods)
    eventually("the end from both", lambda: all(_delivered(world, gate, "both", "resolved") for gate in (0, 1)))
    was_once(world.is_over("both"))
    outcomes = [outcome for item in world.seen("both") for outcome in item.outcomes("both")]
    expect(outcomes.count("opened") == 1, f"outcomes {outcomes}")
    expect("duplicate" in outcomes, f"outcomes {outcomes}")


def _late(world: World) -> None:
    world.gates[1].turn(Mode.HOLD)
    world.shop.breaks("late", "late-0")
    world.fires("late", "late-0")
    world.shop.mends("late", "late-0")
    world.is_over("late")
    expect(not world.gates[1].seen("late"), "nothing was held back")
    world.gates[1].turn(Mode.OPEN)
    late = eventually("the firing that was held back", lambda: world.gates[1].seen("late"))[0]
    expect([alert["status"] for alert in late.body["alerts"]] == ["firing"], f"{late.body['alerts']}")
    expect(late.status == 202, f"answered {late.status}")
    expect(late.outcomes("late") == ["duplicate"], f"became {late.outcomes('late')}")
    shown = world.is_over("late")
    was_once(shown)
    expect(times(shown, "alert.fired") == 1, f"{times(shown, 'alert.fired')} times fired")
