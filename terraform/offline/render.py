"""Renders the stack on paper and writes its state as JSON, for tests that deploy from it.

Usage: render.py --out FILE --artifact-dir DIR [--var KEY=VALUE ...]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from gate.workspace import Workspace, stack_variables, write_placeholder_artifacts


def render(out: Path, artifact_dir: Path | None, variables: dict[str, str]) -> None:
    """Writes the state of a clean apply; without an artifact folder it uses placeholders."""
    with tempfile.TemporaryDirectory(prefix="firebreak-render-") as folder:
        workspace = Workspace.create(Path(folder) / "work")
        if artifact_dir is None:
            artifact_dir = workspace.artifact_dir
            write_placeholder_artifacts(artifact_dir)
        workspace.init("terraform")
        state = workspace.render("terraform", stack_variables(artifact_dir.resolve()) | variables)
    out.write_text(json.dumps(state, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="file for the state")
    parser.add_argument("--artifact-dir", type=Path, help="folder with the function zips")
    parser.add_argument("--var", action="append", default=[], metavar="KEY=VALUE", help="a variable of the stack")
    arguments = parser.parse_args()
    variables = dict(pair.split("=", 1) for pair in arguments.var)
    render(arguments.out, arguments.artifact_dir, variables)


if __name__ == "__main__":
    main()
