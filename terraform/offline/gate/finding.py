"""What a check has to say: findings by the name of the check that made them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from .state import State


class Finding(NamedTuple):
    """One thing that is wrong."""

    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.text}"


Check = Callable[[State], Iterator[Finding]]
