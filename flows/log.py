"""The log of this program: a line for each step of a night and one for how it ended, as JSON where that is requested.

On a Prefect server the same lines also belong to the flow run (PREFECT_LOGGING_EXTRA_LOGGERS=kerawanan).
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal


@contextmanager
def logged(form: Literal["none", "json"]) -> Iterator[None]:
    """Write the log to stderr meanwhile, in this form."""
    if form == "none":
        yield
        return
    from pythonjsonlogger.json import JsonFormatter

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(["levelname", "message"], rename_fields={"levelname": "level"}, timestamp=True))
    logger = logging.getLogger("kerawanan")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
