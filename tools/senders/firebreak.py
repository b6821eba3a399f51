"""A `firebreak serve` process with its data folder, and what its API says."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

from children import Child, free_port


# A watchdog that stays away for this long is missed; the troubles of a story are shorter.
POLICY = "sources: { alertmanager: { heartbeat: { every: 10s, grace: 25s } } }\n"


class Firebreak:
    """The platform; stopping and starting it keeps address and data."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self._binary = binary
        self._folder = folder
        self.address = f"127.0.0.1:{free_port()}"
        self.data = folder / "data"
        (folder / "runbooks").mkdir()
        (folder / "firebreak.yaml").write_text(POLICY)
        self._child = self._started()

    def _started(self) -> Child:
        serve = ["serve", "--listen", self.address, "--data", str(self.data)]
        serve += ["--runbooks", "runbooks", "--config", "firebreak.yaml"]
        return Child("firebreak", [str(self._binary), *serve], self._folder, f"http://{self.address}/healthz")

    def start(self) -> None:
        """Again, on what is there."""
        self._child = self._started()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self._child.stop()

    def kill(self) -> None:
        """SIGKILL."""
        self._child.kill()

    @property
    def webhook_token(self) -> Path:
        """The file that a sender reads its token from."""
        return self.data / "webhook-token"

    @contextmanager
    def store_locked(self) -> Iterator[None]:
        """While this lasts, another program writes to the record's file and Firebreak cannot."""
        connection = sqlite3.connect(self.data / "firebreak.sqlite", isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        finally:
            connection.close()

    # The API

    def get(self, path: str) -> Any:
        """A JSON answer."""
        token = (self.data / "api-token").read_text().strip()
        request = urllib.request.Request(f"http://{self.address}{path}", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.load(reply)

    def metrics(self) -> str:
        """What `/metrics` says to who does not ask for OpenMetrics."""
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=10) as reply:
            return reply.read().decode()

    def incidents(self) -> list[dict[str, Any]]:
        """Every incident, shown whole."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while cursor is not None:
            page = self.get(f"/api/incidents?limit=200{cursor and '&cursor=' + cursor}")
            found += [self.get(f"/api/incidents/{item['id']}") for item in page["incidents"]]
            cursor = page["cursor"]
        return found
