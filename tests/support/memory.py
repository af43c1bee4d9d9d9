"""A folder in memory, where waiting for the disk costs nothing; None where there is too little of it."""

import os
import shutil
from pathlib import Path

_SHM = Path("/dev/shm")  # noqa: S108
MEMORY = _SHM if os.access(_SHM, os.W_OK) and shutil.disk_usage(_SHM).free > 1e9 else None
