"""What is refused inside a flow ends in a state with a sentence; the log shows no traceback."""

import flows.server.silence  # noqa: F401 - first, or it is too late

# isort: split

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from prefect import State
from prefect.exceptions import FailedRun
from prefect.states import Failed

from schemas.errors import KerawananError

P = ParamSpec("P")


def refusal_as_state(function: Callable[P, State[Any]]) -> Callable[P, State[Any]]:
    """A flow that is Failed, and says why in a sentence, where it raises an error for people."""

    @wraps(function)
    def run(*arguments: P.args, **named: P.kwargs) -> State[Any]:
        try:
            return function(*arguments, **named)
        except KerawananError as error:
            return Failed(message=str(error))

    return run


class WithoutFailedRun(logging.Filter):
    """Leaves out what Prefect adds after a flow that returned a Failed state: a traceback of Prefect's own code."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is kept."""
        error = record.exc_info[1] if record.exc_info else None
        return not (isinstance(error, FailedRun) and "Engine execution exited" in record.getMessage())


logging.getLogger("prefect.flow_runs").addFilter(WithoutFailedRun())
