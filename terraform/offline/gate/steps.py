"""The steps of the gate. Each returns named outcomes; an outcome without failures has passed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from . import iam, machine, mappings, wiring
from .finding import Check
from .state import State
from .workspace import FOLDERS, OFFLINE, TerraformError, Workspace, stack_variables

RENDERED_CHECKS: dict[str, Check] = iam.CHECKS | machine.CHECKS | mappings.CHECKS | wiring.CHECKS

# The checks see the stack with everything that can be switched on.
_EVERYTHING = {
    "alarm_topic_arns": '["arn:aws:sns:us-east-1:111122223333:alarms"]',
    "authorizers": '{ datadog = { kind = "jwt", issuer = "https://idp.example.com", audience = ["firebreak"] }, sumologic = { kind = "iam" } }',
}

_RUN = re.compile(r'run "(\w+)"\.\.\. (\w+)')
_CHECKS_LOCK = threading.Lock()  # cfn-lint keeps module-level state


class Outcome(NamedTuple):
    """The result of one check."""

    name: str
    failures: list[str]


def formatting(workspace: Workspace, folder: str) -> list[Outcome]:
    """terraform fmt."""
    return [_command(workspace, folder, f"fmt {folder}", "fmt", "-check", "-recursive", "-diff", "-no-color")]


def validation(workspace: Workspace, folder: str) -> list[Outcome]:
    """terraform validate, with the schema-only provider."""
    return [_command(workspace, folder, f"validate {folder}", "validate", "-no-color")]


def tests(workspace: Workspace, folder: str, only: str = "") -> list[Outcome]:
    """terraform test; one outcome for each run of each test file."""
    arguments = ["test", "-no-color"] + ([f"-filter=tests/{only}.tftest.hcl"] if only else [])
    try:
        output = workspace.run(folder, *arguments)
    except TerraformError as error:
        output = str(error)
    outcomes = [
        Outcome(f"test {folder}: {name}", [] if status == "pass" else [_errors(output)])
        for name, status in _RUN.findall(output)
        if status in ("pass", "fail", "error", "skip")
    ]
    return outcomes or [Outcome(f"test {folder}", [output])]


def rendering(workspace: Workspace, folder: str) -> tuple[dict, Outcome]:
    """Applies on paper: the state, and whether it could be made."""
    variables = {
        "terraform": stack_variables(workspace.artifact_dir) | _EVERYTHING,
        "sumo": {
            "sumo_deployment": "eu",
            "webhook_token": "t" * 32,
            "webhook_url": "https://example.com/webhooks/sumologic",
        },
        "datadog": {
            "datadog_site": "datadoghq.eu",
            "webhook_token": "t" * 32,
            "webhook_url": "https://example.com/webhooks/datadog",
        },
    }
    try:
        return workspace.render(folder, variables[folder]), Outcome(f"render {folder}", [])
    except TerraformError as error:
        return {}, Outcome(f"render {folder}", [_errors(str(error))])


def rendered_checks(document: dict, names: list[str] | None = None) -> list[Outcome]:
    """The checks of a rendered stack, all or those named."""
    state = State(document)
    with _CHECKS_LOCK:
        return [
            Outcome(name, [str(finding) for finding in check(state)])
            for name, check in RENDERED_CHECKS.items()
            if names is None or name in names
        ]


def security_scan(workspace: Workspace) -> list[Outcome]:
    """checkov, with the reasoned skip list."""
    environment = os.environ | {"BC_SKIP_MAPPING": "TRUE", "CKV_GITHUB_CONFIG_FETCH_DATA": "False"}
    checkov = Path(sys.executable).with_name("checkov")
    process = subprocess.run(
        [checkov, "--directory", "terraform", "--config-file", OFFLINE / ".checkov.yaml"],
        cwd=workspace.root,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    failures = [] if process.returncode == 0 else [process.stdout + process.stderr]
    return [Outcome("checkov", failures)]


def _command(workspace: Workspace, folder: str, name: str, *arguments: str) -> Outcome:
    try:
        workspace.run(folder, *arguments)
    except TerraformError as error:
        return Outcome(name, [str(error).strip()])
    return Outcome(name, [])


def _errors(output: str) -> str:
    """The part of terraform's output that starts at its first error."""
    start = output.find("Error:")
    return output[start:].strip() if start >= 0 else output.strip()
