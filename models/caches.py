"""Where libraries keep caches and temporary files: in their own folders, or under MATCHING_HOME if those are read-only.

Libraries read these environment variables when they are imported. Importing `models` sets them, and every process of
this project imports it before such a library. A variable stays as it is where its library can write.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

PACKAGE = Path(__file__).parent
TEMPORARY = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108 - where Python's tempfile looks
# Folders that may hold a user's configuration as well: where one is set, it stays.
CONFIGURATION = ("MPLCONFIGDIR", "IPYTHONDIR", "JUPYTER_CONFIG_DIR")


def redirect_caches() -> None:
    """Give the libraries of this process, and of those it starts, folders that they can write."""
    for variable, folder in find_redirections(os.environ, PACKAGE).items():
        with suppress(OSError):  # then that library does without
            folder.mkdir(parents=True, exist_ok=True)
            os.environ[variable] = str(folder)


def find_redirections(environment: Mapping[str, str], package: Path) -> dict[str, Path]:
    """Variable and new folder of each library that cannot write its own; none if MATCHING_HOME is read-only, too."""
    home = _expand(environment.get("MATCHING_HOME") or ".data").absolute()
    if not is_writable(home):
        return {}
    return {
        variable: home / "caches" / variable.lower()
        for variable, folders in _list_own_folders(environment, package).items()
        if not (variable in CONFIGURATION and environment.get(variable)) and not any(map(is_writable, folders))
    }


def _list_own_folders(environment: Mapping[str, str], package: Path) -> dict[str, list[Path]]:
    """Variable of each library, and the folders that it tries today."""
    user = _expand(environment.get("HOME") or "~")
    cache = Path(environment.get("XDG_CACHE_HOME") or user / ".cache")
    config = Path(environment.get("XDG_CONFIG_HOME") or user / ".config")

    def read_folders(*variables: str) -> list[Path]:
        return [Path(environment[name]) for name in variables if environment.get(name)]

    return {
        "XDG_CACHE_HOME": [cache],  # Hugging Face, fontconfig, pip
        "NUMBA_CACHE_DIR": [*read_folders("NUMBA_CACHE_DIR"), package / "ml" / "__pycache__", cache],
        "MPLCONFIGDIR": [config / "matplotlib"],
        "IPYTHONDIR": [user / ".ipython"],
        "JUPYTER_CONFIG_DIR": [user / ".jupyter"],
        "JUPYTER_DATA_DIR": read_folders("JUPYTER_DATA_DIR") or [user / ".local/share/jupyter"],
        "TMPDIR": [*read_folders("TMPDIR", "TEMP", "TMP"), *map(Path, TEMPORARY)],
    }


def _expand(folder: str) -> Path:
    return Path(os.path.expanduser(folder))  # noqa: PTH111 - Path.expanduser raises for a user without a name


def is_writable(folder: Path) -> bool:
    """Whether this process can make files in `folder`, or can make `folder`."""
    # Not Path.exists, which raises where a folder above cannot be entered.
    there = next(parent for parent in (folder, *folder.parents) if os.path.exists(parent))  # noqa: PTH110
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
