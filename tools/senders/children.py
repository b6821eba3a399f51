"""Starting and stopping the programs of a story: on free loopback ports, each with a log, each stopped by its own id."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path


def free_port() -> int:
    """A port that nobody listens on, from below the range that the system itself gives out."""
    while True:
        port = random.randrange(20000, 32000)
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port


class Child:
    """A running program."""

    def __init__(self, name: str, command: list[str], folder: Path, ready: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
        self._wait_until_ready(ready)

    def stop(self) -> int:
        """Asks it to end, and waits; the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it without a goodbye."""
        self._end(signal.SIGKILL)

    def _end(self, wish: signal.Signals) -> int:
        if self.process.poll() is None:
            self.process.send_signal(wish)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def _wait_until_ready(self, url: str) -> None:
        deadline = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(url, timeout=2):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
        self.kill()
        raise RuntimeError(f"{self.name} did not start; the end of its log:\n{self.log.read_text()[-2000:]}")
