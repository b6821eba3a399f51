"""A throw-away copy of the stack with a provider mirror, and the terraform commands that run in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

OFFLINE = Path(__file__).resolve().parents[1]
STACK = OFFLINE.parent
REPOSITORY = STACK.parent
FOLDERS = ("terraform", "sumo", "datadog")
ARTIFACTS = ("alert_ingest", "event_relay", "notifier", "runbook_action")
RULES = OFFLINE / "schema" / "rules.json"

_SOURCE = "registry.terraform.io"
_PROVIDERS = {
    "hashicorp/aws/6.66.0": OFFLINE / "schema" / "aws-6.66.0.json.gz",
    "DataDog/datadog/4.19.0": OFFLINE / "schema" / "datadog-4.19.0.json.gz",
    "SumoLogic/sumologic/3.2.9": OFFLINE / "schema" / "sumologic.json",
}
_LEFT_OUT = shutil.ignore_patterns(
    "offline", "emulator", ".terraform", "*.tfstate*", ".terraform.lock.hcl", "__pycache__"
)
_WRAPPER = """#!/bin/sh
# Schema-only provider: it plans and applies on paper and never calls anything.
PYTHONPATH={offline} exec {python} -m stub {schema} {rules} {cache}
"""


class TerraformError(RuntimeError):
    """A terraform command failed; the text is what it printed."""


@dataclass(frozen=True)
class Workspace:
    """A folder with the copies of the root modules, the artifacts, and the settings of terraform."""

    root: Path

    @classmethod
    def create(cls, root: Path) -> Workspace:
        """Fills the folder; terraform itself must be on PATH."""
        if shutil.which("terraform") is None:
            sys.exit("the offline gate needs the `terraform` binary (1.11 or newer) on PATH; it is not there")
        workspace = cls(root)
        for name in FOLDERS:
            shutil.copytree(REPOSITORY / name, root / name, ignore=_LEFT_OUT)
        workspace._write_mirror()
        write_placeholder_artifacts(root / "artifacts")
        return workspace

    def fork(self, name: str) -> Workspace:
        """A copy for one seeded fault, already initialised when this one is."""
        target = self.root.parent / name
        shutil.copytree(self.root, target, symlinks=True, ignore=shutil.ignore_patterns("*.tfstate*", "mirror"))
        return Workspace(target)

    @property
    def artifact_dir(self) -> Path:
        return self.root / "artifacts"

    def folder(self, name: str) -> Path:
        """The copy of one root module, by its name."""
        return self.root / name

    def run(self, folder: str, *arguments: str, variables: dict[str, str] | None = None) -> str:
        """Runs terraform in one of the copies and returns its output; raises TerraformError."""
        environment = os.environ | {
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": str(self.root / "terraformrc"),
            "TF_IN_AUTOMATION": "1",
        }
        for name in ("TF_CLI_ARGS", "TF_WORKSPACE", "TF_DATA_DIR"):
            environment.pop(name, None)
        environment |= {f"TF_VAR_{name}": value for name, value in (variables or {}).items()}
        process = subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder(folder),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode != 0:
            raise TerraformError(process.stdout + process.stderr)
        return process.stdout

    def init(self, folder: str) -> None:
        """Installs the modules and the schema-only provider."""
        self.run(folder, "init", "-backend=false", "-input=false", "-no-color")

    def render(self, folder: str, variables: dict[str, str]) -> dict:
        """Applies on paper and returns the state as `terraform show -json` prints it."""
        options = ("-input=false", "-no-color", "-auto-approve", "-refresh=false")
        self.run(folder, "apply", *options, variables=variables)
        return json.loads(self.run(folder, "show", "-json", "-no-color"))

    def _write_mirror(self) -> None:
        mirror = self.root / "mirror"
        for provider, schema in _PROVIDERS.items():
            _vendor, name, version = provider.split("/")
            folder = mirror / _SOURCE / provider.lower() / _platform()
            folder.mkdir(parents=True)
            wrapper = folder / f"terraform-provider-{name}_v{version}"
            wrapper.write_text(
                _WRAPPER.format(
                    offline=OFFLINE,
                    python=sys.executable,
                    schema=schema,
                    rules=RULES,
                    cache=self.root / f"{name}.schema",
                )
            )
            wrapper.chmod(0o755)
        settings = f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'
        (self.root / "terraformrc").write_text(settings)


def write_placeholder_artifacts(folder: Path) -> None:
    """Writes zips that only look like the functions: enough to plan with."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ARTIFACTS:
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("bootstrap"), f"placeholder of {name}\n")


def stack_variables(artifact_dir: Path) -> dict[str, str]:
    """The variables with which the gate renders the stack."""
    return {"environment": "test", "artifact_dir": str(artifact_dir)}


def _platform() -> str:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    return f"{os.uname().sysname.lower()}_{machine}"
