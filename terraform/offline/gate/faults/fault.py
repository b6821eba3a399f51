"""What a seeded fault is: one change to a copy of the stack, and the step that must notice it."""

from __future__ import annotations

from typing import NamedTuple

VALIDATE = "validate"
TEST = "test"
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
    def folder(self) -> str:
        """The root module that the fault is in."""
        return self.file.partition("/")[0]
