"""One Prometheus and two Alertmanagers of one version send to `firebreak serve`, through every trouble there is.

    story.py --firebreak PATH --prometheus FOLDER --alertmanager PATH --folder EMPTY [--record FOLDER]
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import checks_account
import checks_pair
import checks_trouble
import checks_way
from runner import Runner
from world import World


def main() -> int:
    """Command line entry; the exit code is 1 when a check failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--firebreak", type=Path, required=True, help="the binary")
    parser.add_argument("--prometheus", type=Path, required=True, help="the folder of prometheus, promtool and amtool")
    parser.add_argument("--alertmanager", type=Path, required=True, help="the binary")
    parser.add_argument("--folder", type=Path, required=True, help="where data and logs go")
    parser.add_argument("--record", type=Path, help="where to write every body that was sent, one file for each version")
    arguments = parser.parse_args()
    # Ended from outside, the programs are stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    version = _version(arguments.alertmanager)
    print(f"--- Alertmanager {version}, {_version(arguments.prometheus / 'prometheus')} as Prometheus", flush=True)
    runner = Runner()
    with ExitStack() as end:
        world = World(arguments.firebreak, arguments.prometheus, arguments.alertmanager, arguments.folder, end)
        checks_way.run(runner, world)
        checks_trouble.run(runner, world)
        checks_pair.run_joined(runner, world)
        checks_account.run_before_a_restart(runner, world, "joined")
        world.part_the_pair()
        checks_pair.run_parted(runner, world)
        checks_account.run(runner, world)
        if arguments.record:
            _record(world, arguments.record / f"alertmanager-{version}.jsonl")
        if runner.failed:
            print("the end of Firebreak's log:", (arguments.folder / "firebreak.log").read_text()[-3000:], sep="\n")
    return runner.finish()


def _version(binary: Path) -> str:
    ran = subprocess.run([str(binary), "--version"], capture_output=True, text=True, check=True)
    return re.search(r"version ([\d.]+)", ran.stdout + ran.stderr)[1]


def _record(world: World, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    passages = sorted((item for gate in world.gates for item in gate.seen()), key=lambda item: item.at)
    file.write_text("".join(json.dumps(item.body) + "\n" for item in passages))


if __name__ == "__main__":
    sys.exit(main())
