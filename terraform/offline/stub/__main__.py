"""Entry point: `python -m stub SCHEMA RULES CACHE`, started by terraform through the wrapper in the mirror."""

import sys
from pathlib import Path

from .provider import Provider
from .server import serve

serve(Provider(*(Path(argument) for argument in sys.argv[1:4])))
