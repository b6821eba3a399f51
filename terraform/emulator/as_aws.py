"""Starts the emulator so that the checks can speak with the voice of AWS.

AWS puts its own events on the default bus and refuses everybody else who names a source `aws.*`. So does the emulator; but
it has no alarms that change their state, and here the checks stand in for them.
"""

import sys

from ministack import app
from ministack.services import eventbridge

# The argument that the emulator's own services set: whether a source `aws.*` is believed.
eventbridge._put_events.__defaults__ = (True,)
sys.exit(app.main())
