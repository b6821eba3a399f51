"""A tiny runner for named checks: each prints ok or FAILED with its time, and the last line counts them."""

from __future__ import annotations

import sys
import time
import traceback
from typing import Any, Callable


class Runner:
    """Runs checks in order; a failed one does not stop the next."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.failed: list[str] = []

    def check(self, name: str, body: Callable[..., Any], *arguments: Any) -> Any:
        """Runs one check; its result is returned so that later checks can use it."""
        started = time.monotonic()
        try:
            result = body(*arguments)
        except Exception as error:
            self.failed.append(name)
            print(f"FAILED {time.monotonic() - started:6.1f} s  {name}", flush=True)
            if isinstance(error, AssertionError):
                print(f"       {error}", flush=True)
            else:
                traceback.print_exc(limit=-3, file=sys.stdout)
            return None
        self.passed.append(name)
        print(f"ok     {time.monotonic() - started:6.1f} s  {name}", flush=True)
        return result

    def finish(self) -> int:
        """Prints the closing line and gives the exit code."""
        print(f"{len(self.passed)} passed, {len(self.failed)} failed", flush=True)
        return 1 if self.failed or not self.passed else 0


def eventually(what: str, probe: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Asks again until the probe gives something true; fails with what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.1)


def expect(condition: Any, message: str) -> None:
    """An assertion that survives `python -O`."""
    if not condition:
        raise AssertionError(message)
