"""At the end: what Prometheus, the Alertmanagers, the gates and Firebreak say must agree, alert by alert."""

from __future__ import annotations

from typing import Any, Callable

from gate import Gate
from prometheus import Alertmanager
from runner import Runner, eventually, expect
from world import World, times

# The service whose incident is opened twice on purpose.
TWICE = "again"


def run_before_a_restart(runner: Runner, world: World, when: str) -> None:
    """What an Alertmanager counts is gone when it ends, so this is asked before."""
    runner.check(f"what the pair counts as delivered, Firebreak has taken ({when})", _delivered, world)


def run(runner: Runner, world: World) -> None:
    """The reckoning; some alerts are left firing, so that there is something to compare."""
    world.shop.breaks("left", "left-0", "left-1")
    runner.check("what still fires is the same for both sides", _still_firing, world)
    runner.check("every alert that ever fired is in exactly one incident", _every_alert, world)
    runner.check("every incident was opened once and resolved once", _every_incident, world)
    runner.check("every delivery that was answered 2xx is on the record", _every_answer, world)
    runner.check("nothing is in quarantine", _quarantine, world)
    # Last, because the alerts that are left firing end with Prometheus.
    runner.check("when Prometheus falls silent an incident says so, until it speaks again", _silence, world)


def _alerts(shown: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The alerts of an incident by the sender's own fingerprint."""
    alerts = [held["alert"] for held in shown["incident"]["alerts"].values()]
    return {alert["identity_inputs"]["fingerprint"]["value"]: alert for alert in alerts}


def _delivered(world: World) -> None:
    for gate, member in zip(world.gates, world.pair):

        def taken(gate: Gate = gate) -> int:
            passages = gate.seen(since=world.pair_started_at)
            return sum(item.status == 202 and item.awaited for item in passages)

        def agree(member: Alertmanager = member, taken: Callable[[], int] = taken) -> bool:
            return 0 < member.delivered() == taken()

        try:
            eventually("the same count", agree)
        except AssertionError as error:
            raise AssertionError(f"{error}: {member.name} counts {member.delivered()}, its gate {taken()}") from None


def _still_firing(world: World) -> None:
    shown = world.fires("left", "left-0", "left-1")
    wanted = {name for name, alert in _alerts(shown).items() if alert["status"] == "firing"}
    for member in world.pair:
        firing = {name for name, labels in member.firing().items() if labels["alertname"] == "ShopFault"}
        expect(firing == wanted, f"{member.name} has {firing}, Firebreak has {wanted}")
    everywhere = {
        name
        for shown in world.firebreak.incidents()
        for name, alert in _alerts(shown).items()
        if alert["status"] == "firing"
    }
    expect(everywhere == wanted, f"other incidents still fire: {everywhere - wanted}")


def _every_alert(world: World) -> None:
    fired = world.prometheus.ever_fired()
    expect(len(fired) > 15, f"only {len(fired)} alerts have fired")
    incidents = world.firebreak.incidents()
    for labels in fired:
        holding = [
            shown["incident"]["id"]
            for shown in incidents
            if any(alert["labels"] == labels for alert in _alerts(shown).values())
        ]
        expect(len(holding) == 1, f"{labels} is in {holding}")


def _every_incident(world: World) -> None:
    incidents = world.firebreak.incidents()
    services = sorted(shown["incident"]["service"] for shown in incidents)
    expect(len(services) == len(set(services)), f"services with several incidents among {services}")
    expect(len({labels["service"] for labels in world.prometheus.ever_fired()}) == len(services), f"{services}")
    for shown in incidents:
        service = shown["incident"]["service"]
        ends = {"left": 0, TWICE: 2}.get(service, 1)
        expect(times(shown, "incident.opened") == 1, f"{service} was opened {times(shown, 'incident.opened')} times")
        expect(times(shown, "incident.resolved") == ends, f"{service} was resolved {times(shown, 'incident.resolved')} times")


def _every_answer(world: World) -> None:
    incidents = world.firebreak.incidents()
    on_record = {fingerprint for shown in incidents for fingerprint in shown["incident"]["alerts"]}
    known = {name for shown in incidents for name in _alerts(shown)}
    answered = [item for gate in world.gates for item in gate.seen() if item.status == 202]
    expect(len(answered) > 50, f"only {len(answered)} deliveries")
    for item in answered:
        if "spilled" in item.answer:
            missing = {alert["fingerprint"] for alert in item.body["alerts"] if alert["labels"].get("service")} - known
            expect(not missing, f"{missing} waited in the spill and never came")
            continue
        told = len(item.answer["accepted"]) + len(item.answer.get("heartbeats", []))
        expect(told == len(item.body["alerts"]), f"{len(item.body['alerts'])} alerts sent, {told} answered")
        for accepted in item.answer["accepted"]:
            expect(accepted["fingerprint"] in on_record, f"{accepted} is not on the record")


def _quarantine(world: World) -> None:
    kept = world.firebreak.get("/api/quarantine")["quarantined"]
    expect(not kept, f"{kept}")


def _silence(world: World) -> None:
    world.prometheus.stop()

    def told() -> dict[str, Any] | None:
        shown = world.incident("firebreak")
        return shown if shown and shown["incident"]["status"] == "open" else None

    shown = eventually("an incident about the silence", told, 90)
    expect("silent source: alertmanager" in shown["incident"]["title"], f"title {shown['incident']['title']}")
    world.prometheus.start()
    world.is_over("firebreak")
