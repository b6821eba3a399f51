"""The way of an alert when all is well, and what Prometheus sees of Firebreak."""

from __future__ import annotations

import subprocess

from prometheus import SHIPPED
from runner import Runner, eventually, expect
from world import World, times, was_once


def run(runner: Runner, world: World) -> None:
    """All checks, in order."""
    runner.check("promtool and amtool accept the files that ship", _shipped_files, world)
    runner.check("an alert that fires opens one incident, and its end resolves it once", _one, world)
    runner.check("the alerts of a group share one incident, which ends with the last of them", _group, world)
    runner.check("an alert that comes back soon reopens its incident", _again, world)
    runner.check("the watchdog is a sign of life and no incident", _watchdog, world)
    runner.check("Prometheus scrapes Firebreak, and promtool accepts what it says", _metrics, world)


def _accepted(world: World, *command: str, text: str = "") -> None:
    tool, *arguments = command
    ran = subprocess.run(
        [str(world.tools / tool), *arguments], input=text, text=True, capture_output=True, check=False, timeout=60
    )
    expect(ran.returncode == 0, f"{' '.join(command)}: {ran.stdout}{ran.stderr}")


def _shipped_files(world: World) -> None:
    _accepted(world, "promtool", "check", "config", str(SHIPPED / "prometheus.yml"))
    _accepted(world, "promtool", "check", "rules", str(SHIPPED / "firebreak.rules.yml"))
    _accepted(world, "promtool", "test", "rules", str(SHIPPED / "firebreak.rules.test.yml"))
    _accepted(world, "amtool", "check-config", str(SHIPPED / "alertmanager.yml"))


def _one(world: World) -> None:
    world.shop.breaks("one", "one-0")
    shown = world.fires("one", "one-0")
    expect(shown["incident"]["severity"] == "critical", f"severity {shown['incident']['severity']}")
    expect(shown["incident"]["title"] == "one fails on one-0", f"title {shown['incident']['title']}")
    world.shop.mends("one", "one-0")
    was_once(world.is_over("one"))


def _group(world: World) -> None:
    pods = ("group-0", "group-1", "group-2")
    world.shop.breaks("group", *pods)
    world.fires("group", *pods)
    world.shop.mends("group", "group-1")
    shown = world.fires("group", "group-0", "group-2")
    expect(times(shown, "incident.resolved") == 0, "the incident was resolved while two alerts fire")
    world.shop.mends("group", "group-0", "group-2")
    was_once(world.is_over("group"))
    together = [item for item in world.seen("group") if len(item.body["alerts"]) == len(pods)]
    expect(together, "Alertmanager never sent the group in one body")
    mixed = [item for item in world.seen("group") if len({alert["status"] for alert in item.body["alerts"]}) == 2]
    expect(mixed, "Alertmanager never sent a body with firing and resolved alerts")


def _again(world: World) -> None:
    world.shop.breaks("again", "again-0")
    world.fires("again", "again-0")
    world.shop.mends("again", "again-0")
    world.is_over("again")
    world.shop.breaks("again", "again-0")
    shown = world.fires("again", "again-0")
    expect(times(shown, "incident.reopened") == 1, f"{times(shown, 'incident.reopened')} times reopened")
    world.shop.mends("again", "again-0")
    shown = world.is_over("again")
    expect(times(shown, "incident.opened") == 1, f"{times(shown, 'incident.opened')} times opened")
    expect(times(shown, "incident.resolved") == 2, f"{times(shown, 'incident.resolved')} times resolved")


def _watchdog(world: World) -> None:
    def alive() -> bool:
        return any("Watchdog" in item.answer.get("heartbeats", []) for gate in world.gates for item in gate.seen())

    eventually("an answer that names the sign of life", alive)
    names = [held["alert"]["name"] for shown in world.firebreak.incidents() for held in shown["incident"]["alerts"].values()]
    expect("Watchdog" not in names, "the sign of life is in an incident")


def _metrics(world: World) -> None:
    eventually("Firebreak is up", lambda: _value(world, 'up{job="firebreak"}') == 1)
    opened = 'sum(firebreak_alerts_total{source="alertmanager", outcome="opened"})'
    eventually("a count of opened incidents in Prometheus", lambda: _value(world, opened) >= 3)
    _accepted(world, "promtool", "check", "metrics", text=world.firebreak.metrics())


def _value(world: World, expression: str) -> float:
    series = world.prometheus.query(expression)
    return float(series[0]["value"][1]) if series else 0.0
