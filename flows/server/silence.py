"""Imported before Prefect, which starts its telemetry when it is imported: nothing is reported to anyone."""

import os

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
