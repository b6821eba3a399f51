"""Prometheus and a pair of Alertmanagers, set up from the files that the project ships, with shorter times."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from children import Child, free_port

HERE = Path(__file__).resolve().parent
SHIPPED = HERE.parents[1] / "deploy" / "prometheus"


def adapted(text: str, changes: dict[str, str]) -> str:
    """The text with each pattern replaced; a pattern that is not there is an error, so that the shipped file is what is tried."""
    for pattern, replacement in changes.items():
        text, count = re.subn(pattern, lambda _, new=replacement: new, text)
        if count == 0:
            raise RuntimeError(f"the shipped file has nothing like {pattern}")
    return text


def asked(url: str) -> Any:
    """A JSON answer."""
    with urllib.request.urlopen(url, timeout=10) as reply:
        return json.load(reply)


class Alertmanager:
    """One Alertmanager; its storage stays when it is stopped."""

    def __init__(self, binary: Path, name: str, folder: Path, webhook: str, token: Path) -> None:
        self._binary = binary
        self.name = name
        self._folder = folder / name
        self._folder.mkdir()
        self.address = f"127.0.0.1:{free_port()}"
        self.gossip = f"127.0.0.1:{free_port()}"
        self.config = self._folder / "alertmanager.yml"
        self.config.write_text(
            adapted(
                (SHIPPED / "alertmanager.yml").read_text(),
                {
                    r"http://127\.0\.0\.1:8080": webhook,
                    r"/etc/alertmanager/firebreak-token": str(token),
                    r"(?<=group_wait: )\d+s": "0s",
                    r"(?<=group_interval: )\w+": "1s",
                    r"(?<=repeat_interval: )1m": "2s",
                    r"(?<=repeat_interval: )4h": "5s",
                },
            )
        )
        self._child: Child | None = None

    def start(self, peer: str | None) -> None:
        """As a member of a pair, or alone when there is no peer."""
        cluster = [f"--cluster.listen-address={self.gossip if peer else ''}", "--cluster.peer-timeout=1s"]
        cluster += [f"--cluster.peer={peer}"] if peer else []
        listen = [f"--web.listen-address={self.address}", f"--config.file={self.config}", "--storage.path=storage"]
        ready = f"http://{self.address}/-/ready"
        self._child = Child(self.name, [str(self._binary), *listen, *cluster], self._folder, ready)

    def stop(self) -> None:
        """Ends it."""
        if self._child:
            self._child.stop()

    def peers(self) -> int:
        """How many members its cluster has."""
        return len(asked(f"http://{self.address}/api/v2/status")["cluster"].get("peers", []))

    def firing(self) -> dict[str, dict[str, str]]:
        """Its own fingerprints of what fires, each with its labels."""
        return {alert["fingerprint"]: alert["labels"] for alert in asked(f"http://{self.address}/api/v2/alerts?active=true")}

    def delivered(self) -> int:
        """How many of its webhook requests succeeded, by its own count since it started."""
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=10) as reply:
            text = reply.read().decode()

        def count(name: str) -> int:
            values = re.findall(rf'^{name}{{[^}}]*integration="webhook"[^}}]*}} (\S+)$', text, re.MULTILINE)
            return int(sum(float(value) for value in values))

        return count("alertmanager_notification_requests_total") - count("alertmanager_notification_requests_failed_total")


class Prometheus:
    """Scrapes the shop and Firebreak, and alerts both Alertmanagers."""

    def __init__(self, binary: Path, folder: Path, shop: str, firebreak: str, alertmanagers: list[str]) -> None:
        self._folder = folder / "prometheus"
        self._folder.mkdir()
        self.address = f"127.0.0.1:{free_port()}"
        self.config = self._folder / "prometheus.yml"
        first, second = alertmanagers
        shop_job = f'\n  - job_name: shop\n    static_configs:\n      - targets: ["{shop}"]\n'
        self.config.write_text(
            adapted(
                (SHIPPED / "prometheus.yml").read_text(),
                {
                    r"127\.0\.0\.1:8080": firebreak,
                    r"127\.0\.0\.1:9093": first,
                    r"127\.0\.0\.1:9094": second,
                    r"(?<=_interval: )15s": "1s",
                    r"(?<=  - )firebreak\.rules\.yml": f"{SHIPPED}/firebreak.rules.yml\n  - {HERE}/shop.rules.yml",
                },
            )
            + shop_job
        )
        self._command = [str(binary), f"--config.file={self.config}", f"--web.listen-address={self.address}"]
        # An alert that was sent before the Alertmanagers were known is sent again this soon.
        self._command += ["--storage.tsdb.path=data", "--rules.alert.resend-delay=2s"]
        self.start()

    def start(self) -> None:
        """Again, on what is there."""
        self._child = Child("prometheus", self._command, self._folder, f"http://{self.address}/-/ready")

    def stop(self) -> None:
        """Ends it."""
        self._child.stop()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query."""
        query = urllib.parse.urlencode({"query": expression})
        return asked(f"http://{self.address}/api/v1/query?{query}")["data"]["result"]

    def ever_fired(self) -> list[dict[str, str]]:
        """The labels of every alert of the shop that has fired."""
        series = self.query('count_over_time(ALERTS{alertname="ShopFault", alertstate="firing"}[1h])')
        return [{name: value for name, value in item["metric"].items() if name != "alertstate"} for item in series]
