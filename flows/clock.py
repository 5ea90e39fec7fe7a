"""Nights are days in Jakarta. No clock is read here: times come in through requests."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

TIME_ZONE = "Asia/Jakarta"


def jakarta() -> ZoneInfo:
    """The time zone of nights."""
    return ZoneInfo(TIME_ZONE)


def end_of_day(day: date) -> datetime:
    """The first moment after a day in Jakarta."""
    return datetime.combine(day + timedelta(days=1), time(), jakarta())
