"""Seeded faults: each must be noticed by the step that it names."""

from .contents import CONTENT_FAULTS
from .fault import FORMAT, RENDER, SCAN, VALIDATE, Fault
from .intake import INTAKE_FAULTS
from .rendering import RENDERED_FAULTS
from .schema import SCHEMA_FAULTS
from .senders import SENDER_FAULTS
from .telling import TELLING_FAULTS

FAULTS = SCHEMA_FAULTS + CONTENT_FAULTS + RENDERED_FAULTS + INTAKE_FAULTS + SENDER_FAULTS + TELLING_FAULTS

__all__ = ["FAULTS", "FORMAT", "RENDER", "SCAN", "VALIDATE", "Fault"]
