"""The log of this program: one line of JSON for each step of a night and one for how it ended, where that is asked for.

On a Prefect server the same lines belong to the flow run, and Prefect writes them as it is configured to.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def told_as_json() -> Iterator[None]:
    """Write the log to stderr meanwhile."""
    from pythonjsonlogger.json import JsonFormatter

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(["levelname", "message"], rename_fields={"levelname": "level"}, timestamp=True))
    logger = logging.getLogger("kerawanan")
    level, logger.propagate = logger.level, False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = True
