"""Durations and ages in words."""

from datetime import timedelta

MINUTE, HOUR, DAY = 60, 3600, 86_400


def format_duration(seconds: float) -> str:
    """Return a duration as minutes and seconds, such as 2:05, or as hours, minutes and seconds, such as 1:02:05."""
    minutes, rest = divmod(round(max(seconds, 0)), MINUTE)
    hours, minutes = divmod(minutes, MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_age(age: timedelta) -> str:
    """Return how long ago something was, in its largest unit: `just now`, `5 minutes ago`, `3 days ago`."""
    seconds = age.total_seconds()
    for length, unit in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count:,} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
