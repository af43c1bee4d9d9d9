"""The OS user of the embedded server. PostgreSQL refuses to run as root, so root runs the server as another user."""

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from models.db.errors import DatabaseUnavailable

NAME = "pgserver"


@dataclass(frozen=True)
class OsUser:
    """The OS user and group of a server's processes and files."""

    uid: int
    gid: int


def find_server_user(folder: Path) -> OsUser:
    """Return the OS user that serves the data folder `folder`.

    For root this is the owner of the folder, or `pgserver` if the folder does not exist yet. Other users serve their
    own folders.

    Raises:
        DatabaseUnavailable: The folder belongs to a user that the server cannot run as.
    """
    me = os.geteuid()
    owner = folder.stat() if folder.exists() else None
    if owner is None:
        return _find_pgserver() if me == 0 else OsUser(me, os.getegid())
    if owner.st_uid == 0:
        raise DatabaseUnavailable(f"{folder} belongs to root, as whom PostgreSQL refuses to run: chown it to {NAME}")
    if me not in (0, owner.st_uid):
        raise DatabaseUnavailable(
            f"{folder} belongs to the user {_get_user_name(owner.st_uid)}, not to {_get_user_name(me)}: "
            "run this as that user or as root, or set MATCHING_HOME to a folder of your own"
        )
    return OsUser(owner.st_uid, owner.st_gid)


def _get_user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _find_pgserver() -> OsUser:
    try:
        return _look_up_user(NAME)
    except KeyError:
        useradd = ["/usr/sbin/useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
        made = subprocess.run(useradd, check=False, capture_output=True, text=True)  # noqa: S603
    try:
        return _look_up_user(NAME)  # created by this process or concurrently by another
    except KeyError:
        raise DatabaseUnavailable(
            f"root could not create the OS user {NAME} to run PostgreSQL as: {made.stderr}"
        ) from None


def _look_up_user(name: str) -> OsUser:
    account = pwd.getpwnam(name)
    return OsUser(account.pw_uid, account.pw_gid)


def grant_access(user: OsUser, folder: Path, installation: Path) -> None:
    """Let `user` reach `folder` and run the programs in `installation`, if this process is root.

    Only missing permissions are added.
    """
    if os.geteuid() != 0:
        return
    for parent in (*folder.parents, *installation.parents):
        _add_permission(user, parent, stat.S_IXOTH)
    if not installation.stat().st_mode & stat.S_IROTH:  # installed under a strict umask
        for path in (installation, *installation.rglob("*")):
            _add_permission(user, path, stat.S_IROTH | (stat.S_IXOTH if path.stat().st_mode & stat.S_IXUSR else 0))


def _add_permission(user: OsUser, path: Path, bits: int) -> None:
    """Add `bits`, given as those of others, to the permission class that `user` falls into."""
    status = path.stat()
    shift = 6 if status.st_uid == user.uid else 3 if status.st_gid == user.gid else 0
    if status.st_mode & bits << shift != bits << shift:
        path.chmod(stat.S_IMODE(status.st_mode) | bits << shift)


def run_as(user: OsUser, *command: str | Path, share: tuple[int, ...] = ()) -> None:
    """Run `command` as `user` in a new session, without PG* environment variables.

    Args:
        user: The OS user of the new process.
        *command: The program and its arguments.
        share: File descriptors that the process inherits.

    Raises:
        subprocess.CalledProcessError: The command failed; the error holds its output.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    root = os.geteuid() == 0
    subprocess.run(  # noqa: S603
        [str(part) for part in command],
        check=True,
        capture_output=True,
        text=True,
        errors="replace",
        cwd="/",
        env=environment | {"LC_ALL": "C"},
        start_new_session=True,
        pass_fds=share,
        user=user.uid if root else None,
        group=user.gid if root else None,
        extra_groups=[] if root else None,
    )
