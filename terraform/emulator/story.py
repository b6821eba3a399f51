"""The end-to-end test of the deployed stack on an emulator of AWS: deploys it, sends alerts, and watches what happens.

    FIREBREAK_TEST_MINISTACK=http://127.0.0.1:4566 story.py RENDERED.json
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import checks_faults
import checks_intake
import checks_people
import checks_roles
import checks_upkeep
import checks_way
import deploy
import ec2_recorder
import rendered
from runner import Runner
from target import Target
from world import SECRET, World

# The function whose EC2 calls go through the recorder.
HANDS = "runbook_action_ec2"


def main() -> int:
    """Command line entry; the exit code is 1 when a check failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rendered", type=Path, help="`terraform show -json` of the rendered stack")
    parser.add_argument("--out", type=Path, help="where to write the names of what was deployed")
    arguments = parser.parse_args()
    endpoint = os.environ.get("FIREBREAK_TEST_MINISTACK")
    if not endpoint:
        print("story: FIREBREAK_TEST_MINISTACK is not set; tools/with_servers.sh --ministack sets it", file=sys.stderr)
        return 2

    server, recorder = ec2_recorder.start(endpoint)
    try:
        resources = rendered.load(arguments.rendered)
        account, region = rendered.account_and_region(resources)
        target = Target(endpoint, region)
        target.rewriter.learn_account(account, target.account)
        proxy = f"http://127.0.0.1:{server.server_address[1]}"
        extra = deploy.extra_environment(resources, [f"{HANDS}:AWS_ENDPOINT_URL_EC2={proxy}"])
        target.note("extra_environment", extra)
        started = time.monotonic()
        outputs = deploy.deploy(resources, target)
        deploy.put_secret(target, json.dumps(SECRET))
        deploy.report(resources, target, time.monotonic() - started)
        if arguments.out:
            arguments.out.write_text(json.dumps(outputs, indent=2, sort_keys=True) + "\n")

        runner = Runner()
        world = World(outputs, recorder)
        checks_way.run(runner, world)
        checks_roles.run(runner, world)
        upkeep = checks_upkeep.begin(world)
        checks_people.run(runner, world)
        checks_intake.run(runner, world)
        checks_upkeep.run(runner, world, upkeep)
        checks_faults.run(runner, world)
        return runner.finish()
    finally:
        server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
