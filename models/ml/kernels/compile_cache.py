"""The cache of compiled functions on disk: numba's own folders, with a stamp that covers all of `kernels`.

Compiled code contains the code of the functions that it calls. Numba compiles a function again only if the function's
own file has changed, so a change of a called function in another file would go unnoticed. The locators below add the
sources of this package to the stamp. Numba documents them as `NUMBA_CACHE_LOCATOR_CLASSES`.
"""

import hashlib
from functools import cache
from pathlib import Path

from numba.core.caching import InTreeCacheLocator, UserProvidedCacheLocator, UserWideCacheLocator


@cache
def hash_kernels() -> str:
    """Return a hash of the names and sources of all modules of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        source = path.read_bytes()
        digest.update(f"{path.name} {len(source)} ".encode() + source)
    return digest.hexdigest()


class _KernelStamp:
    """A mixin for locators: compiled code is valid while the function's file and this package stay as they are."""

    def get_source_stamp(self) -> tuple[object, str]:
        own: object = super().get_source_stamp()  # type: ignore[misc]
        return own, hash_kernels()


class NamedFolder(_KernelStamp, UserProvidedCacheLocator):
    """The folder that NUMBA_CACHE_DIR names."""


class PackageFolder(_KernelStamp, InTreeCacheLocator):
    """The folder `__pycache__` beside the function's file."""


class UserFolder(_KernelStamp, UserWideCacheLocator):
    """The user's cache folder."""


LOCATORS = ",".join(f"{each.__module__}.{each.__name__}" for each in (NamedFolder, PackageFolder, UserFolder))
"""The first of these folders that can be written is used."""
