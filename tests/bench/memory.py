"""How much memory a benchmark took."""

from pathlib import Path


def peak_megabytes() -> float:
    """The most memory that this process has had; NaN where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
