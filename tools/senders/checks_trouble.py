"""What must not be lost when the way to Firebreak, its store or itself fails."""

from __future__ import annotations

import time

from gate import Mode
from runner import Runner, eventually, expect
from world import World, was_once


def run(runner: Runner, world: World) -> None:
    """All checks, in order."""
    runner.check("an alert that fires into a 503 arrives when that is over", _refused_firing, world)
    runner.check("an end that comes into a 503 arrives when that is over", _refused_end, world)
    runner.check("an alert that cannot be stored is not lost", _store_locked, world)
    runner.check("stopped and started in the middle: nothing is lost", _restarted, world)
    runner.check("killed at any moment: nothing is lost or told twice", _killed, world)


def _refused_firing(world: World) -> None:
    world.turn_both(Mode.REFUSE)
    world.shop.breaks("refused", "refused-0", "refused-1")
    eventually("two tries that failed", lambda: len(world.seen("refused")) >= 2)
    expect(world.incident("refused") is None, "an incident came through a closed gate")
    world.turn_both(Mode.OPEN)
    world.fires("refused", "refused-0", "refused-1")
    world.shop.mends("refused", "refused-0", "refused-1")
    was_once(world.is_over("refused"))


def _refused_end(world: World) -> None:
    world.shop.breaks("unended", "unended-0")
    world.fires("unended", "unended-0")
    world.turn_both(Mode.REFUSE)
    began = time.time()
    world.shop.mends("unended", "unended-0")

    def refused_ends() -> bool:
        bodies = [item.body for item in world.seen("unended", began) if item.status == 503]
        return any(alert["status"] == "resolved" for body in bodies for alert in body["alerts"])

    eventually("an end that was refused", refused_ends)
    world.fires("unended", "unended-0")
    world.turn_both(Mode.OPEN)
    was_once(world.is_over("unended"))


def _store_locked(world: World) -> None:
    with world.firebreak.store_locked():
        world.shop.breaks("locked", "locked-0")
        answer = eventually("an answer while the store cannot be written", lambda: world.seen("locked"), 60)[0]
        waits = answer.status == 202 and "spilled" in answer.answer
        expect(waits or answer.status == 503, f"answered {answer.status} without having kept it: {answer.answer}")
        expect(world.incident("locked") is None, "an incident without a store")
    world.fires("locked", "locked-0")
    world.shop.mends("locked", "locked-0")
    was_once(world.is_over("locked"))


def _restarted(world: World) -> None:
    world.shop.breaks("restarted", "restarted-0")
    world.fires("restarted", "restarted-0")
    code = world.firebreak.stop()
    world.shop.breaks("restarted", "restarted-1")
    eventually("a try while it is stopped", lambda: [item for item in world.seen("restarted") if item.status is None])
    world.firebreak.start()
    expect(code == 0, f"it ended with {code}")
    world.fires("restarted", "restarted-0", "restarted-1")
    world.firebreak.stop()
    began = time.time()
    world.shop.mends("restarted", "restarted-0", "restarted-1")
    eventually("a try while it is stopped again", lambda: world.seen("restarted", began))
    world.firebreak.start()
    was_once(world.is_over("restarted"))


def _killed(world: World) -> None:
    pods = [f"killed-{number}" for number in range(4)]
    # From a scrape to a stored incident takes about two seconds: these moments lie before, in and after it.
    for pod, moment in zip(pods, (0.3, 1.2, 1.8, 2.5)):
        world.shop.breaks("killed", pod)
        _kill_after(world, moment)
    world.fires("killed", *pods)
    world.shop.mends("killed", *pods)
    _kill_after(world, 1.5)
    was_once(world.is_over("killed"))


def _kill_after(world: World, seconds: float) -> None:
    time.sleep(seconds)
    world.firebreak.kill()
    world.firebreak.start()
