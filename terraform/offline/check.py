"""The offline gate of terraform/, sumo/ and datadog/: checks a copy of them, then proves the checks on seeded faults.

Usage: check.py [--rendered FILE] [--no-faults]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gate import seeding, steps
from gate.steps import Outcome
from gate.workspace import FOLDERS, Workspace

_PARALLEL = 2  # more would only share the processors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rendered", type=Path, help="also write the rendered state of the stack to this file")
    parser.add_argument("--no-faults", action="store_true", help="leave the seeded faults out, for a quick look")
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="firebreak-gate-") as folder:
        workspace = Workspace.create(Path(folder) / "clean")
        for name in FOLDERS:
            workspace.init(name)
        outcomes = check(workspace, arguments.rendered)
        if any(outcome.failures for outcome in outcomes):
            print("\nseeded faults: not planted, because the clean copy has faults of its own")
        elif not arguments.no_faults:
            outcomes += seed(workspace)
    failed = [outcome for outcome in outcomes if outcome.failures]
    print(f"took {time.monotonic() - started:.0f} s")
    print(f"terraform: {len(outcomes) - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


def check(workspace: Workspace, rendered: Path | None) -> list[Outcome]:
    """Runs every step on the clean copy and prints what each found."""

    def render_stack() -> list[Outcome]:
        document, outcome = steps.rendering(workspace, "terraform")
        if outcome.failures:
            return [outcome]
        if rendered is not None:
            rendered.write_text(json.dumps(document, indent=1) + "\n")
        return [outcome, *steps.rendered_checks(document)]

    tasks: list[Callable[[], list[Outcome]]] = [
        lambda: steps.security_scan(workspace),
        render_stack,
    ]
    for name in FOLDERS:
        tasks.append(lambda name=name: steps.tests(workspace, name))
        if name != "terraform":
            tasks.append(lambda name=name: [steps.rendering(workspace, name)[1]])
        tasks.append(lambda name=name: steps.formatting(workspace, name))
        tasks.append(lambda name=name: steps.validation(workspace, name))
    with ThreadPoolExecutor(_PARALLEL) as pool:
        outcomes = [outcome for group in pool.map(lambda task: task(), tasks) for outcome in group]
    for outcome in sorted(outcomes):
        print(f"{'FAILED' if outcome.failures else 'ok':<6} {outcome.name}")
        for failure in outcome.failures:
            print(f"       {failure}")
    return outcomes


def seed(workspace: Workspace) -> list[Outcome]:
    """Plants the seeded faults and prints which step caught each."""
    verdicts = seeding.plant_all(workspace, _PARALLEL)
    print(f"\n{'seeded fault':<36} {'caught by'}")
    for verdict in verdicts:
        print(f"{verdict.fault.name:<36} {verdict.fault.step if verdict.caught else 'NOTHING: ' + verdict.reason}")
    print(f"{sum(verdict.caught for verdict in verdicts)} of {len(verdicts)} seeded faults caught\n")
    return [Outcome(f"fault: {v.fault.name}", [] if v.caught else [v.reason]) for v in verdicts]


if __name__ == "__main__":
    main()
