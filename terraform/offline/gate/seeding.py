"""Plants each seeded fault in its own copy and looks whether the step that must notice it does."""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from . import steps
from .faults import FAULTS, FORMAT, RENDER, SCAN, VALIDATE, Fault
from .workspace import Workspace


class Verdict(NamedTuple):
    """What became of one fault: caught, or why not."""

    fault: Fault
    caught: bool
    reason: str


def plant_all(base: Workspace, parallel: int) -> list[Verdict]:
    """Plants every fault, a few at a time."""
    with ThreadPoolExecutor(parallel) as pool:
        return list(pool.map(lambda numbered: _plant(base, *numbered), enumerate(FAULTS)))


def _plant(base: Workspace, number: int, fault: Fault) -> Verdict:
    path = base.root / fault.file
    text = path.read_text()
    if text.count(fault.old) == 0:
        return Verdict(fault, False, f"the text to change is not in {fault.file}")
    workspace = base.fork(f"fault-{number}")
    try:
        (workspace.root / fault.file).write_text(text.replace(fault.old, fault.new, 1))
        said = "\n".join(_failures(workspace, fault))
    finally:
        shutil.rmtree(workspace.root)
    if not said:
        return Verdict(fault, False, "the step passed")
    if not re.search(fault.says, " ".join(said.split())):
        return Verdict(fault, False, f"the step failed, but for another reason:\n{said}")
    return Verdict(fault, True, "")


def _failures(workspace: Workspace, fault: Fault) -> list[str]:
    """Runs only the step that must notice the fault."""
    outcomes: list[steps.Outcome]
    if fault.step == VALIDATE:
        outcomes = steps.validation(workspace, fault.folder)
    elif fault.step == FORMAT:
        outcomes = steps.formatting(workspace, fault.folder)
    elif fault.test_file is not None:
        outcomes = steps.tests(workspace, fault.folder, fault.test_file)
    elif fault.step == SCAN:
        outcomes = steps.security_scan(workspace)
    else:
        document, rendered = steps.rendering(workspace, fault.folder)
        if fault.step == RENDER:
            outcomes = [rendered]
        elif rendered.failures:
            return [f"cannot be rendered: {rendered.failures[0]}"]
        else:
            outcomes = steps.rendered_checks(document, [fault.step])
    return [failure for outcome in outcomes for failure in outcome.failures]
