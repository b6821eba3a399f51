"""Everything that runs in a story, and the questions that its checks ask."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from firebreak import Firebreak
from gate import Gate, Mode, Passage
from prometheus import Alertmanager, Prometheus
from runner import eventually, expect
from shop import Shop


class World:
    """A shop, Prometheus, two Alertmanagers each behind a gate, and Firebreak."""

    def __init__(self, firebreak: Path, prometheus: Path, alertmanager: Path, folder: Path, end: ExitStack) -> None:
        self.tools = prometheus
        self.shop = Shop()
        end.callback(self.shop.close)
        self.firebreak = Firebreak(firebreak, folder)
        end.callback(lambda: self.firebreak.stop())
        self.gates = [Gate(self.firebreak.address) for _ in "ab"]
        self.pair = [
            Alertmanager(alertmanager, f"alertmanager-{name}", folder, gate.url, self.firebreak.webhook_token)
            for name, gate in zip("ab", self.gates)
        ]
        for member in self.pair:
            end.callback(member.stop)
        for gate in self.gates:
            end.callback(gate.close)
        self.pair_started_at = 0.0
        self.join_the_pair()
        addresses = [member.address for member in self.pair]
        self.prometheus = Prometheus(
            prometheus / "prometheus", folder, self.shop.address, self.firebreak.address, addresses
        )
        end.callback(self.prometheus.stop)

    # The pair

    def join_the_pair(self) -> None:
        """Starts both Alertmanagers as one cluster: one notifies, the other one stands by."""
        first, second = self.pair
        self._restart({first: second.gossip, second: first.gossip})
        eventually("the pair is one cluster", lambda: all(member.peers() == 2 for member in self.pair), 60)

    def part_the_pair(self) -> None:
        """Starts both so that neither knows of the other, as in a network that is split: both notify."""
        self._restart(dict.fromkeys(self.pair))

    def _restart(self, peers: dict[Alertmanager, str | None]) -> None:
        for member in peers:
            member.stop()
        self.pair_started_at = time.time()
        for member, peer in peers.items():
            member.start(peer)

    def turn_both(self, mode: Mode) -> None:
        """The same at both gates."""
        for gate in self.gates:
            gate.turn(mode)

    def seen(self, service: str, since: float = 0.0) -> list[Passage]:
        """The deliveries of both Alertmanagers that tell of a service."""
        return sorted((item for gate in self.gates for item in gate.seen(service, since)), key=lambda item: item.at)

    # The record

    def incidents(self, service: str) -> list[dict[str, Any]]:
        """The incidents of a service, shown whole."""
        return [shown for shown in self.firebreak.incidents() if shown["incident"]["service"] == service]

    def incident(self, service: str) -> dict[str, Any] | None:
        """The only incident of a service, if there is one."""
        found = self.incidents(service)
        expect(len(found) <= 1, f"{len(found)} incidents of {service}")
        return found[0] if found else None

    def fires(self, service: str, *pods: str) -> dict[str, Any]:
        """Waits until exactly these pods of a service fire in its one incident."""

        def there() -> dict[str, Any] | None:
            shown = self.incident(service)
            return shown if shown and firing_pods(shown) == set(pods) else None

        return eventually(f"one incident of {service} in which {', '.join(pods)} fire", there, 60)

    def is_over(self, service: str) -> dict[str, Any]:
        """Waits until the one incident of a service is resolved."""

        def over() -> dict[str, Any] | None:
            shown = self.incident(service)
            return shown if shown and shown["incident"]["status"] in ("resolved", "closed") else None

        return eventually(f"the incident of {service} is resolved", over, 60)


def firing_pods(shown: dict[str, Any]) -> set[str]:
    """The pods of an incident that fire."""
    alerts = [held["alert"] for held in shown["incident"]["alerts"].values()]
    return {alert["labels"]["pod"] for alert in alerts if alert["status"] == "firing"}


def times(shown: dict[str, Any], event: str) -> int:
    """How often an event is on an incident's record."""
    return sum(recorded["event"]["type"] == event for recorded in shown["events"])


def was_once(shown: dict[str, Any]) -> None:
    """The incident began once and ended once."""
    for event, number in {"incident.opened": 1, "incident.reopened": 0, "incident.resolved": 1}.items():
        expect(times(shown, event) == number, f"{times(shown, event)} times {event}")
