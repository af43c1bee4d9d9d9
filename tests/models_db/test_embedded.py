"""The embedded server is started, killed, confused and shared for real."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any

import psutil
import psycopg
import pytest
from psycopg.pq import Ping
from sqlalchemy import make_url

from models.db.embedded import liveness, os_user
from models.db.embedded import server as embedded
from models.db.engines import convert_to_libpq_url
from models.db.errors import DatabaseUnavailable
from tests.models_db.conftest import session
from tests.support.memory import MEMORY
from tests.support.waiting import until

IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can become another user or mount a disk")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="uses Linux's prctl or /proc")
NOBODY = 65534
PATIENCE = 300  # seconds

START = "import sys; from pathlib import Path; from models.db import embedded; home = Path(sys.argv[1])\n"
DROP_ROOT = "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
CALL = "print(embedded.ensure_running(home))\n"


@pytest.fixture
def fresh() -> Iterator[Path]:
    """An empty folder. Not one of pytest's: each of its sessions takes the permissions of others off all of those."""
    with TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)
        embedded.stop(Path(folder))


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    """A private home with a file of its user's."""
    with TemporaryDirectory(dir=MEMORY) as folder:
        home = Path(folder) / "private"
        home.mkdir(mode=0o700)
        (home / "secret").touch(mode=0o600)
        yield home
        embedded.stop(home)


@pytest.fixture
def home(shared_home: Path) -> Path:
    """A home whose server runs, and has survived all the crashes of the tests before."""
    embedded.ensure_running(shared_home)
    return shared_home


def _as_owner(home: Path) -> dict[str, Any]:
    owner = (home / "postgres").stat()
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if IS_ROOT else {}


def _ask(url: str, query: str) -> object:
    """The first value that `query` returns, if it returns any."""
    with session(make_url(url)) as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def _answers(home: Path) -> bool:
    return _ask(embedded.ensure_running(home), "SELECT 1") == 1


def _python(code: str, home: Path, *before: str) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-c", START + code, str(home)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def _postmaster(home: Path) -> psutil.Process:
    pid = liveness.find_listener(home / "postgres")
    assert pid
    return psutil.Process(pid)


def _crash(home: Path) -> None:
    _postmaster(home).kill()
    until(lambda: not embedded.is_running(home), PATIENCE)


def _is_starting(home: Path) -> bool:
    return liveness.ping_server(home / "postgres") is Ping.REJECT


def _write_pid(home: Path, pid: int) -> None:
    """Make the postmaster.pid say that the server is the process `pid`."""
    path = home / "postgres" / "postmaster.pid"
    path.write_text("\n".join([str(pid), *path.read_text().split("\n")[1:]]))


def _make_start_slow(home: Path) -> None:
    """Stop the server and let its next start recover from an archive that is slow to say that it has nothing."""
    embedded.stop(home)
    with (home / "postgres" / "postgresql.auto.conf").open("a") as configuration:
        configuration.write("hot_standby = off\nrestore_command = 'sleep 0.2; false'\n")
    (home / "postgres" / "recovery.signal").touch()


def _start_by_hand(home: Path, *options: str) -> None:
    """Start the server with PostgreSQL's own program, as an administrator might."""
    data, pg_ctl = str(home / "postgres"), str(embedded._find_programs() / "pg_ctl")
    start = [pg_ctl, "start", "-D", data, "-l", f"{data}/server.log", "-o", f"-k {data}", *options]
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL, **_as_owner(home))


def _is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _starts(home: Path) -> int:
    return (home / "postgres" / "server.log").read_text().count("starting PostgreSQL")


# Starting


def test_a_home_gets_postgresql_18_with_pgvector(home: Path) -> None:
    url, pid = embedded.ensure_running(home), _postmaster(home).pid
    assert _ask(url, "SELECT current_database() || ' ' || current_user") == "matching postgres"
    assert _ask(url, "SELECT current_setting('server_version_num')::int / 10000") == 18
    _ask(url, "CREATE EXTENSION vector")
    assert _ask(url, "SELECT '[1,0]'::halfvec(2) <=> '[0,1]'::halfvec(2)") == 1.0
    for setting, value in {
        "fsync": "on",
        "synchronous_commit": "on",
        "listen_addresses": "",
        "TimeZone": "UTC",
    }.items():
        assert _ask(url, f"SELECT current_setting('{setting}')") == value
    assert _ask(url, "SELECT upper('žluťoučký') || length('🙂')") == "ŽLUŤOUČKÝ1", "unicode on any machine"
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        _ask(url, "SELECT 'Ada Lovelace'::uuid")
    assert "Lovelace" not in (home / "postgres" / "server.log").read_text()
    _ask(url.replace("/matching?", "/postgres?"), "DROP DATABASE matching WITH (FORCE)")
    assert (embedded.ensure_running(home), _postmaster(home).pid) == (url, pid)
    assert _ask(url, "SELECT current_database()") == "matching", "a dropped database is made again"


def test_processes_that_start_at_once_share_a_server(fresh: Path) -> None:
    """It outlives them, and any path will do."""
    home = fresh / "a, b $(touch x) `y` 'z' \"é\" %h"
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: _python(CALL, home), range(3)))
    assert {(run.returncode, run.stderr) for run in runs} == {(0, "")}
    (url,) = {run.stdout.strip() for run in runs}
    assert _starts(home) == 1
    assert sorted(path.name for path in home.iterdir()) == ["postgres", "postgres.lock"]
    assert [path.name for path in fresh.iterdir()] == [home.name]
    assert _ask(url, "SELECT 1") == 1

    sockets = [Path(liveness.read_address(home / "postgres")[0])]
    assert embedded.stop(home)
    home = home.rename(fresh / ("long" * 30))
    assert _answers(home)
    sockets.append(Path(liveness.read_address(home / "postgres")[0]))
    embedded.stop(home)
    for folder in sockets:
        assert folder.parent == Path("/tmp")  # noqa: S108
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        folder.chmod(0o755)
    with pytest.raises(DatabaseUnavailable, match=str(sockets[1])):
        embedded.ensure_running(home)
    for folder in sockets:
        folder.rmdir()


# Recovering


def test_a_kill_at_any_moment_of_a_call_is_recovered_from(home: Path) -> None:
    def kill() -> None:
        if pid := liveness.find_listener(home / "postgres"):
            os.kill(pid, signal.SIGKILL)

    for moment in range(8):
        killer = Timer(moment / 1500, kill)  # a call takes about 5 ms
        killer.start()
        for _ in range(5):
            embedded.ensure_running(home)
        killer.join()


@pytest.mark.parametrize("started_by_us", [True, False])
def test_it_waits_for_the_last_processes_of_a_killed_server(home: Path, started_by_us: bool) -> None:
    if not started_by_us:
        embedded.stop(home)
        _start_by_hand(home)
    lingering = next(each for each in _postmaster(home).children() if "checkpointer" in " ".join(each.cmdline()))
    lingering.suspend()
    _crash(home)
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(_answers, home)
        time.sleep(0.5)
        assert not start.done()
        lingering.resume()
        assert start.result(PATIENCE)


def test_a_postmaster_pid_of_another_process_is_stale(home: Path) -> None:
    """Of the server's own OS user: one that lives, a zombie, and one that is gone."""
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    with (
        subprocess.Popen(["sleep", "60"], **_as_owner(home)) as living,
        subprocess.Popen(["true"], **_as_owner(home)) as zombie,
    ):
        until(lambda: psutil.Process(zombie.pid).status() == psutil.STATUS_ZOMBIE)
        for process in (living, zombie, gone):
            _crash(home)
            _write_pid(home, process.pid)
            assert not embedded.is_running(home)
            assert not embedded.stop(home)
            assert _answers(home)
        assert psutil.Process(zombie.pid).status() == psutil.STATUS_ZOMBIE
        _write_pid(home, living.pid)
        assert embedded.stop(home), "who listens is stopped, not who is named"
        assert living.poll() is None
        living.kill()


@pytest.mark.parametrize("pid_file", [None, "", "12345\n", "\0not a postmaster.pid\n" * 9])
def test_what_was_committed_survives_kill_9(home: Path, pid_file: str | None) -> None:
    """Whatever is left of postmaster.pid."""
    url = embedded.ensure_running(home)
    _ask(url, "DROP TABLE IF EXISTS kept")
    _ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    _crash(home)
    if pid_file is not None:
        (home / "postgres" / "postmaster.pid").write_text(pid_file)
    assert embedded.ensure_running(home) == url
    assert _ask(url, "SELECT answer FROM kept") == 42


ADOPT_ORPHANS = "import ctypes, os, psutil; ctypes.CDLL(None).prctl(36, 1); from models.db.embedded import liveness\n"
KILL_AND_START_AGAIN = """
embedded.stop(home)
embedded.ensure_running(home)
killed = psutil.Process(liveness.find_listener(home / "postgres"))
killed.kill()
while embedded.is_running(home):
    pass
url = embedded.ensure_running(home)
assert killed.status() == psutil.STATUS_ZOMBIE, killed
assert liveness.find_listener(home / "postgres") != killed.pid
print(url)
"""


@needs_linux
def test_a_killed_postmaster_that_nobody_reaps_is_dead(home: Path) -> None:
    run = _python(ADOPT_ORPHANS + KILL_AND_START_AGAIN, home)
    assert (run.returncode, run.stderr) == (0, "")
    assert _ask(run.stdout.strip(), "SELECT 1") == 1


def test_a_server_that_dies_while_starting_is_started_again(home: Path) -> None:
    embedded.stop(home)
    starts, pid_file = _starts(home), home / "postgres" / "postmaster.pid"
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(_answers, home)
        until(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"), PATIENCE)
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        assert start.result(PATIENCE)
    assert _starts(home) >= starts + 1


@pytest.mark.parametrize("started_by_us", [True, False])
def test_it_waits_while_a_server_starts_up(home: Path, started_by_us: bool) -> None:
    _make_start_slow(home)
    starts = _starts(home)
    if not started_by_us:
        _start_by_hand(home, "--no-wait")
        until(lambda: _is_starting(home), PATIENCE)
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(_answers, home) for _ in range(2)]
        until(lambda: _is_starting(home), PATIENCE)
        assert not embedded.is_running(home)
        assert all(call.result(PATIENCE) for call in calls)
    assert _starts(home) == starts + 1


def test_a_home_deleted_under_its_server_is_made_again(home: Path) -> None:
    """Even if the first attempt at that is interrupted."""
    orphaned = _postmaster(home)
    shutil.rmtree(home / "postgres")
    with subprocess.Popen([sys.executable, "-c", START + CALL, str(home)]) as starter:
        until(lambda: list(home.glob("postgres.new-*/base")), PATIENCE)
        starter.kill()
    assert not (home / "postgres").exists()
    url = embedded.ensure_running(home)
    assert (home / "postgres" / "PG_VERSION").read_text() == "18\n"
    assert not list(home.glob("postgres.new-*"))
    orphaned.send_signal(signal.SIGQUIT)  # as it would itself, once it notices
    until(lambda: _is_gone(orphaned), PATIENCE)
    assert _ask(url, "SELECT 1") == 1


# Stopping


def test_stop_ends_sessions_and_keeps_what_they_committed(home: Path) -> None:
    url = embedded.ensure_running(home)
    with psycopg.connect(convert_to_libpq_url(url)) as half_done:
        half_done.execute("DROP TABLE IF EXISTS half")
        half_done.execute("CREATE TABLE half (n int)")
        half_done.commit()
        half_done.execute("INSERT INTO half VALUES (1)")
        postmaster = _postmaster(home)
        assert embedded.stop(home)
        until(lambda: _is_gone(postmaster), PATIENCE)
        with pytest.raises(psycopg.OperationalError):
            half_done.execute("SELECT 1")
    assert not embedded.is_running(home)
    assert not embedded.stop(home)
    assert _ask(embedded.ensure_running(home), "SELECT count(*) FROM half") == 0
    since_stop = (home / "postgres" / "server.log").read_text().rpartition("starting PostgreSQL")[2]
    assert "database system was shut down" in since_stop  # and nothing had to be recovered


def test_stop_ends_a_server_that_starts_up(home: Path) -> None:
    _make_start_slow(home)
    with subprocess.Popen([sys.executable, "-c", START + CALL, str(home)]) as starter:
        until(lambda: _is_starting(home), PATIENCE)
        starter.kill()
    assert embedded.stop(home)
    assert not embedded.stop(home)


def test_nothing_to_stop_leaves_nothing_behind(fresh: Path) -> None:
    home = fresh / "never"
    assert not embedded.stop(home)
    assert not embedded.is_running(home)
    assert not home.exists()


# Errors


def test_a_server_that_cannot_start_shows_its_log(home: Path) -> None:
    embedded.stop(home)
    configuration = home / "postgres" / "postgresql.conf"
    good = configuration.read_text()
    configuration.write_text(good + "shared_bufers = 1MB\n")
    for _ in range(2):  # the first try leaves nothing locked
        with pytest.raises(DatabaseUnavailable, match="unrecognized configuration parameter"):
            embedded.ensure_running(home)
    configuration.write_text(good)
    assert _answers(home)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [("PG_VERSION", "17\n", "PostgreSQL '17'"), ("diary.txt", "mine", "holds files but no database")],
)
def test_data_of_others_is_left_alone(fresh: Path, file: str, content: str, message: str) -> None:
    data = fresh / "home" / "postgres"
    data.mkdir(parents=True)
    (data / file).write_text(content)
    if IS_ROOT:
        with pytest.raises(DatabaseUnavailable, match="belongs to root"):
            embedded.ensure_running(fresh / "home")
    user = os_user.find_server_user(fresh / "absent")
    os.chown(data, user.uid, user.gid)
    with pytest.raises(DatabaseUnavailable, match=message):
        embedded.ensure_running(fresh / "home")
    assert [(path.name, path.read_text()) for path in data.iterdir()] == [(file, content)]
    with pytest.raises(DatabaseUnavailable, match=str(data / file)):
        embedded.ensure_running(data / file)  # a home that is a file


# Users


@needs_root
def test_root_opens_no_more_of_a_home_than_the_way_to_it(home: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()}
    assert modes == {"secret": 0o600, "postgres.lock": 0o644, "postgres": 0o700}
    assert stat.S_IMODE(home.stat().st_mode) == 0o701
    assert (home / "postgres").owner() == "pgserver"
    assert _postmaster(home).username() == "pgserver"


@needs_root
def test_an_ordinary_user_serves_itself_and_root_serves_as_that_user(fresh: Path) -> None:
    fresh.chmod(0o777)
    home = fresh / "of_nobody"
    cycle = DROP_ROOT + CALL + "print(embedded.stop(home), embedded.is_running(home))"
    for _ in range(2):
        run = _python(cycle, home)
        assert (run.returncode, run.stderr) == (0, "")
        assert run.stdout.splitlines()[1] == "True False"
        assert {path.stat().st_uid for path in home.rglob("*")} == {NOBODY}
        embedded.ensure_running(home)
        assert _postmaster(home).uids().effective == NOBODY
        embedded.stop(home)


@needs_root
def test_other_users_can_neither_serve_nor_connect(home: Path) -> None:
    home.chmod(0o755)
    url = convert_to_libpq_url(embedded.ensure_running(home))
    serve = _python(DROP_ROOT + CALL, home)
    connect = _python("import psycopg\n" + DROP_ROOT + f"psycopg.connect({url!r})", home)
    home.chmod(0o701)
    assert f"{home / 'postgres'} belongs to the user pgserver, not to nobody" in serve.stderr
    assert "Permission denied" in connect.stderr


@needs_root
def test_programs_installed_under_a_strict_umask_are_opened_to_the_server(fresh: Path) -> None:
    installation = fresh / "installation"
    (installation / "bin").mkdir(parents=True)
    installation.chmod(0o700)
    (installation / "bin").chmod(0o700)
    (installation / "bin" / "program").touch(mode=0o711)
    (installation / "data").touch(mode=0o600)
    user = os_user.OsUser(NOBODY, NOBODY)
    os_user.grant_access(user, fresh / "home", installation)
    use = f'cat {installation}/data && {installation}/bin/program && test "$(id -G)" = {NOBODY}'
    os_user.run_as(user, "/bin/sh", "-c", use)
    assert stat.S_IMODE((installation / "data").stat().st_mode) == 0o604


# Small machines


PARALLEL_INDEX = """
import psycopg
with psycopg.connect(embedded.ensure_running(home).replace("+psycopg", ""), autocommit=True) as connection:
    connection.add_notice_handler(lambda notice: print(notice.message_primary))
    connection.execute("CREATE EXTENSION vector")
    connection.execute("CREATE TABLE v (e halfvec(384)) WITH (parallel_workers = 2)")
    connection.execute("SET client_min_messages = debug1")
    connection.execute("CREATE INDEX ON v USING hnsw (e halfvec_cosine_ops)")
embedded.stop(home)
"""


@needs_root
@needs_linux
def test_an_index_is_built_in_parallel_where_dev_shm_is_small(tmp_path: Path) -> None:
    own_shm = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=4m tmpfs /dev/shm && exec "$@"', "sh")
    if subprocess.run([*own_shm, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no disk can be mounted here")
    run = _python(PARALLEL_INDEX, tmp_path, *own_shm)
    assert (run.returncode, run.stderr) == (0, "")
    assert "using 2 parallel workers" in run.stdout


@pytest.fixture
def small_disk(fresh: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a disk of a given size."""
    disk = fresh / "disk"
    disk.mkdir()

    def mount(size: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("no disk can be mounted here")
        return disk

    yield mount
    embedded.stop(disk)
    subprocess.run(["umount", str(disk)], check=False, capture_output=True)


@needs_root
def test_a_disk_too_small_to_begin_with_is_named(small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("8m")
    with pytest.raises(DatabaseUnavailable, match=rf"{disk} \(\d MB free\)(?s:.*)No space left"):
        embedded.ensure_running(disk)


@needs_root
def test_a_server_on_a_full_disk_says_so_and_comes_back_with_everything(small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("80m")
    _ask(embedded.ensure_running(disk), "CREATE TABLE kept AS SELECT 42 AS answer")
    embedded.stop(disk)
    with pytest.raises(OSError, match="No space left"):
        (disk / "filler").write_bytes(bytes(80_000_000))
    with pytest.raises(DatabaseUnavailable, match="0 MB free"):
        embedded.ensure_running(disk)
    (disk / "filler").unlink()
    assert _ask(embedded.ensure_running(disk), "SELECT answer FROM kept") == 42
