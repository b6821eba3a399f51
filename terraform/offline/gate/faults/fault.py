"""What a seeded fault is: one change to a copy of the stack, and the step that must notice it."""

from __future__ import annotations

from typing import NamedTuple

VALIDATE = "validate"
INPUTS = "test inputs"
RENDERED = "test rendered"
RENDER = "render"
FORMAT = "fmt"
SCAN = "checkov"


class Fault(NamedTuple):
    """A change to one file. `step` is a step above or the name of a check; `says` is what it must say."""

    name: str
    file: str
    old: str
    new: str
    step: str
    says: str

    @property
    def test_file(self) -> str | None:
        """The test file to run, when the step is a test."""
        kind, _, name = self.step.partition(" ")
        return name if kind == "test" else None

    @property
    def folder(self) -> str:
        """The root module that the fault is in."""
        return self.file.partition("/")[0]
