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
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any

import psutil
import psycopg
import pytest
from psycopg.pq import Ping

from models.db.embedded import liveness, os_user
from models.db.embedded import server as embedded
from models.db.engines import convert_to_libpq_url, resolve_database_url
from models.db.errors import DatabaseUnavailable
from models.db.settings import Settings

IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can become another user or mount a disk")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="uses Linux's prctl or /proc")
NOBODY = 65534
MEMORY = "/dev/shm"  # where fsync costs nothing  # noqa: S108

START = "import sys; from pathlib import Path; from models.db import embedded; home = Path(sys.argv[1])\n"
DROP_ROOT = "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
CALL = "print(embedded.ensure_running(home))\n"


@contextmanager
def _folder() -> Iterator[Path]:
    """An empty folder. Not pytest's: each session of pytest takes everybody else's permissions off all of those."""
    with TemporaryDirectory(
        dir=MEMORY if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 1e9 else None
    ) as folder:
        yield Path(folder)
        embedded.stop(Path(folder))


@pytest.fixture
def fresh() -> Iterator[Path]:
    """A home where nothing has been made yet."""
    with _folder() as home:
        yield home


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    with _folder() as home:
        yield home


@pytest.fixture
def home(shared_home: Path) -> Path:
    """A home whose server runs, and has survived all the crashes of the tests before."""
    embedded.ensure_running(shared_home)
    return shared_home


@pytest.fixture
def stranger(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A live process of the server's OS user that has nothing to do with it."""
    with subprocess.Popen(["sleep", "60"], **_as_owner(home)) as process:
        yield process
        assert process.poll() is None
        process.kill()


def _as_owner(home: Path) -> dict[str, Any]:
    owner = (home / "postgres").stat()
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if IS_ROOT else {}


def _ask(url: str, query: str) -> object:
    """The first value that `query` returns, if it returns any."""
    with psycopg.connect(convert_to_libpq_url(url), autocommit=True) as connection:
        answer = connection.execute(query)
        row = answer.fetchone() if answer.description else None
        return row and row[0]


def _python(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, str(home)], capture_output=True, text=True, timeout=600, check=False
    )


def _postmaster(home: Path) -> psutil.Process:
    pid = liveness.find_listener(home / "postgres")
    assert pid
    return psutil.Process(pid)


def _wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _crash(home: Path) -> None:
    _postmaster(home).kill()
    _wait_for(lambda: not embedded.is_running(home))


def _give_to_server(folder: Path) -> None:
    user = os_user.find_server_user(folder / "absent")
    for path in (folder, *folder.iterdir()):
        os.chown(path, user.uid, user.gid)


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
    data = str(home / "postgres")
    start = [
        str(embedded._find_programs() / "pg_ctl"),
        "start",
        "-D",
        data,
        "-l",
        f"{data}/server.log",
        "-o",
        f"-k {data}",
    ]
    subprocess.run([*start, *options], check=True, stdout=subprocess.DEVNULL, **_as_owner(home))


def _is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _starts(home: Path) -> int:
    return (home / "postgres" / "server.log").read_text().count("starting PostgreSQL")


# Starting


def test_a_fresh_home_gets_postgresql_18_with_pgvector(fresh: Path) -> None:
    url = embedded.ensure_running(fresh)
    assert _ask(url, "SELECT current_database() || ' ' || current_user") == "matching postgres"
    assert _ask(url, "SELECT current_setting('server_version_num')::int / 10000") == 18
    _ask(url, "CREATE EXTENSION vector")
    assert _ask(url, "SELECT '[1,0]'::halfvec(2) <=> '[0,1]'::halfvec(2)") == 1.0


@pytest.mark.parametrize(
    ("setting", "value"),
    [("fsync", "on"), ("synchronous_commit", "on"), ("listen_addresses", ""), ("TimeZone", "UTC")],
)
def test_it_keeps_what_it_is_given_and_to_itself(home: Path, setting: str, value: str) -> None:
    assert _ask(embedded.ensure_running(home), f"SELECT current_setting('{setting}')") == value


def test_text_is_unicode_on_any_machine(home: Path) -> None:
    assert _ask(embedded.ensure_running(home), "SELECT upper('žluťoučký') || length('🙂')") == "ŽLUŤOUČKÝ1"


def test_calling_again_finds_the_same_server(home: Path) -> None:
    before = _postmaster(home).pid, embedded.ensure_running(home)
    assert (_postmaster(home).pid, embedded.ensure_running(home)) == before


def test_processes_that_start_at_once_share_a_server_that_outlives_them(fresh: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: _python(START + CALL, fresh), range(4)))
    assert {(run.returncode, run.stderr) for run in runs} == {(0, "")}
    (url,) = {run.stdout.strip() for run in runs}
    assert _starts(fresh) == 1
    assert sorted(path.name for path in fresh.iterdir()) == ["postgres", "postgres.lock"]
    assert _ask(url, "SELECT 1") == 1


def test_a_dropped_database_is_made_again(home: Path) -> None:
    url = embedded.ensure_running(home)
    _ask(url.replace("/matching?", "/postgres?"), "DROP DATABASE matching WITH (FORCE)")
    assert _ask(embedded.ensure_running(home), "SELECT current_database()") == "matching"


@pytest.mark.parametrize("name", ["long" * 30, "a, b $(touch x) `y` 'z' \"é\" %h"])
def test_any_path_will_do(fresh: Path, name: str) -> None:
    home = fresh / name
    url = embedded.ensure_running(home)
    sockets = Path(liveness.read_address(home / "postgres")[0])
    assert _ask(url, "SELECT 1") == 1
    assert sockets.parent == Path("/tmp")  # noqa: S108
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert embedded.stop(home)
    sockets.rmdir()


def test_a_socket_folder_that_others_can_enter_is_refused(fresh: Path) -> None:
    home = fresh / ("long" * 30)
    embedded.ensure_running(home)
    sockets = Path(liveness.read_address(home / "postgres")[0])
    embedded.stop(home)
    sockets.chmod(0o755)
    with pytest.raises(DatabaseUnavailable, match=f"{sockets} should be a folder of this server's"):
        embedded.ensure_running(home)
    sockets.rmdir()


def test_a_database_url_starts_nothing(fresh: Path) -> None:
    home = fresh / "home"
    settings = Settings(home=home, database_url="postgresql://somebody@elsewhere/matching")
    assert resolve_database_url(settings) == "postgresql+psycopg://somebody@elsewhere/matching"
    assert not home.exists()


# Recovering


def test_what_was_committed_survives_kill_9(home: Path) -> None:
    url = embedded.ensure_running(home)
    _ask(url, "DROP TABLE IF EXISTS kept")
    _ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    _crash(home)
    assert embedded.ensure_running(home) == url
    assert _ask(url, "SELECT answer FROM kept") == 42


def test_a_kill_at_any_moment_of_a_call_is_recovered_from(home: Path) -> None:
    def kill() -> None:
        if pid := liveness.find_listener(home / "postgres"):
            os.kill(pid, signal.SIGKILL)

    for moment in range(8):
        embedded.ensure_running(home)
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
    lingering = next(p for p in _postmaster(home).children() if "checkpointer" in " ".join(p.cmdline()))
    lingering.suspend()
    _crash(home)
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(embedded.ensure_running, home)
        time.sleep(0.5)
        assert not start.done()
        lingering.resume()
        assert _ask(start.result(timeout=300), "SELECT 1") == 1


def test_a_postmaster_pid_that_nobody_bears_is_stale(home: Path) -> None:
    _crash(home)
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    _write_pid(home, gone.pid)
    assert _ask(embedded.ensure_running(home), "SELECT 1") == 1


def test_a_postmaster_pid_that_a_stranger_bears_is_stale(home: Path, stranger: subprocess.Popen[bytes]) -> None:
    _crash(home)
    _write_pid(home, stranger.pid)
    assert not embedded.is_running(home)
    assert not embedded.stop(home)
    assert _ask(embedded.ensure_running(home), "SELECT 1") == 1


def test_a_postmaster_pid_that_a_zombie_bears_is_stale(home: Path) -> None:
    _crash(home)
    with subprocess.Popen(["true"], **_as_owner(home)) as zombie:
        _wait_for(lambda: psutil.Process(zombie.pid).status() == psutil.STATUS_ZOMBIE)
        _write_pid(home, zombie.pid)
        assert not embedded.is_running(home)
        assert _ask(embedded.ensure_running(home), "SELECT 1") == 1
        assert psutil.Process(zombie.pid).status() == psutil.STATUS_ZOMBIE


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
    run = _python(START + ADOPT_ORPHANS + KILL_AND_START_AGAIN, home)
    assert (run.returncode, run.stderr) == (0, "")
    assert _ask(run.stdout.strip(), "SELECT 1") == 1


@pytest.mark.parametrize("content", [b"", b"12345\n", b"\xff\0not a postmaster.pid\n" * 9])
def test_a_broken_postmaster_pid_is_stale(home: Path, content: bytes) -> None:
    _crash(home)
    (home / "postgres" / "postmaster.pid").write_bytes(content)
    assert _ask(embedded.ensure_running(home), "SELECT 1") == 1


def test_a_server_that_dies_while_starting_is_started_again(home: Path) -> None:
    embedded.stop(home)
    starts, pid_file = _starts(home), home / "postgres" / "postmaster.pid"
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(embedded.ensure_running, home)
        _wait_for(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"))
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        url = start.result(timeout=300)
    assert _starts(home) >= starts + 1
    assert _ask(url, "SELECT 1") == 1


@pytest.mark.parametrize("started_by_us", [True, False])
def test_it_waits_while_a_server_starts_up(home: Path, started_by_us: bool) -> None:
    _make_start_slow(home)
    starts = _starts(home)
    if not started_by_us:
        _start_by_hand(home, "--no-wait")
        _wait_for(lambda: liveness.ping_server(home / "postgres") is Ping.REJECT)
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(embedded.ensure_running, home) for _ in range(2)]
        _wait_for(lambda: liveness.ping_server(home / "postgres") is Ping.REJECT)
        assert not embedded.is_running(home)
        urls = {call.result(timeout=300) for call in calls}
    assert [_ask(url, "SELECT 1") for url in urls] == [1]
    assert _starts(home) == starts + 1


def test_an_interrupted_initdb_is_begun_anew(fresh: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", START + CALL, str(fresh)]) as starter:
        _wait_for(lambda: list(fresh.glob("postgres.new-*/base")))
        starter.kill()
    assert not (fresh / "postgres").exists()
    assert _ask(embedded.ensure_running(fresh), "SELECT 1") == 1
    assert (fresh / "postgres" / "PG_VERSION").read_text() == "18\n"


def test_a_home_deleted_under_its_server_is_made_anew(fresh: Path) -> None:
    embedded.ensure_running(fresh)
    orphaned = _postmaster(fresh)
    shutil.rmtree(fresh / "postgres")
    url = embedded.ensure_running(fresh)
    orphaned.send_signal(signal.SIGQUIT)  # as it would itself, once it notices
    _wait_for(lambda: _is_gone(orphaned))
    assert _ask(url, "SELECT 1") == 1


# Stopping


def test_stop_ends_sessions_and_keeps_what_they_committed(home: Path) -> None:
    url = embedded.ensure_running(home)
    with psycopg.connect(convert_to_libpq_url(url)) as session:
        session.execute("DROP TABLE IF EXISTS half")
        session.execute("CREATE TABLE half (n int)")
        session.commit()
        session.execute("INSERT INTO half VALUES (1)")
        postmaster = _postmaster(home)
        assert embedded.stop(home)
        _wait_for(lambda: _is_gone(postmaster))
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    assert not embedded.is_running(home)
    assert not embedded.stop(home)
    assert _ask(embedded.ensure_running(home), "SELECT count(*) FROM half") == 0
    since_stop = (home / "postgres" / "server.log").read_text().rpartition("starting PostgreSQL")[2]
    assert "database system was shut down" in since_stop  # and nothing had to be recovered


def test_stop_signals_who_listens_not_who_is_named(home: Path, stranger: subprocess.Popen[bytes]) -> None:
    _write_pid(home, stranger.pid)
    assert embedded.stop(home)


def test_stop_ends_a_server_that_starts_up(home: Path) -> None:
    _make_start_slow(home)
    with subprocess.Popen([sys.executable, "-c", START + CALL, str(home)]) as starter:
        _wait_for(lambda: liveness.ping_server(home / "postgres") is Ping.REJECT)
        starter.kill()
    assert embedded.stop(home)
    assert not embedded.stop(home)


def test_nothing_to_stop_leaves_nothing_behind(fresh: Path) -> None:
    home = fresh / "never"
    assert not embedded.stop(home)
    assert not embedded.is_running(home)
    assert not home.exists()


# Errors


def test_a_server_that_cannot_start_shows_its_log(fresh: Path) -> None:
    embedded.ensure_running(fresh)
    embedded.stop(fresh)
    with (fresh / "postgres" / "postgresql.conf").open("a") as configuration:
        configuration.write("shared_bufers = 1MB\n")
    with pytest.raises(DatabaseUnavailable, match=r"does not start(?s:.*)unrecognized configuration parameter"):
        embedded.ensure_running(fresh)
    with pytest.raises(DatabaseUnavailable, match="does not start"):  # the first try left nothing locked
        embedded.ensure_running(fresh)


def test_data_of_another_major_version_is_left_alone(fresh: Path) -> None:
    home = fresh / "home"
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "PG_VERSION").write_text("17\n")
    _give_to_server(home / "postgres")
    with pytest.raises(DatabaseUnavailable, match="made by PostgreSQL '17' and this is 18"):
        embedded.ensure_running(home)


def test_files_that_are_no_database_are_left_alone(fresh: Path) -> None:
    home = fresh / "home"
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "diary.txt").write_text("mine")
    _give_to_server(home / "postgres")
    with pytest.raises(DatabaseUnavailable, match="holds files but no database: move them away"):
        embedded.ensure_running(home)
    assert not embedded.stop(home)
    assert (home / "postgres" / "diary.txt").read_text() == "mine"


def test_a_home_that_is_a_file_is_named(fresh: Path) -> None:
    (fresh / "home").touch()
    with pytest.raises(DatabaseUnavailable, match=f"cannot use {fresh / 'home'}: .*set MATCHING_HOME"):
        embedded.ensure_running(fresh / "home")


def test_the_log_quotes_no_rows(home: Path) -> None:
    url = embedded.ensure_running(home)
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        _ask(url, "SELECT 'Ada Lovelace'::uuid")
    assert "Lovelace" not in (home / "postgres" / "server.log").read_text()


# Users


@needs_root
def test_root_serves_from_a_private_home_and_opens_no_more_than_the_way_to_it(fresh: Path) -> None:
    (fresh / "private").mkdir(mode=0o700)
    (fresh / "private" / "secret").touch(mode=0o600)
    embedded.ensure_running(fresh / "private")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (fresh / "private").iterdir()}
    assert modes == {"secret": 0o600, "postgres.lock": 0o644, "postgres": 0o700}
    assert stat.S_IMODE((fresh / "private").stat().st_mode) == 0o701
    assert (fresh / "private" / "postgres").owner() == "pgserver"
    assert _postmaster(fresh / "private").username() == "pgserver"
    embedded.stop(fresh / "private")


@needs_root
def test_an_ordinary_user_serves_itself(fresh: Path) -> None:
    fresh.chmod(0o777)
    home = fresh / "of_nobody"
    cycle = "print(embedded.ensure_running(home)); print(embedded.stop(home), embedded.is_running(home))"
    run = _python(START + DROP_ROOT + cycle, home)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines()[1] == "True False"
    assert {path.stat().st_uid for path in home.rglob("*")} == {NOBODY}


@needs_root
def test_root_serves_as_the_owner_of_the_data(fresh: Path) -> None:
    fresh.chmod(0o777)
    home = fresh / "of_nobody"
    assert _python(START + DROP_ROOT + CALL + "embedded.stop(home)", home).returncode == 0
    embedded.ensure_running(home)
    assert _postmaster(home).uids().effective == NOBODY
    embedded.stop(home)
    assert _python(START + DROP_ROOT + CALL + "embedded.stop(home)", home).returncode == 0


@needs_root
def test_another_users_data_is_refused_by_name(home: Path) -> None:
    home.chmod(0o755)
    run = _python(START + DROP_ROOT + CALL, home)
    assert "DatabaseUnavailable" in run.stderr
    assert f"{home / 'postgres'} belongs to the user pgserver, not to nobody: run this as that user" in run.stderr


@needs_root
def test_other_users_cannot_connect(home: Path) -> None:
    connect = "import sys, psycopg\n" + DROP_ROOT + "psycopg.connect(sys.argv[1])"
    url = convert_to_libpq_url(embedded.ensure_running(home))
    run = subprocess.run([sys.executable, "-c", connect, url], capture_output=True, text=True, check=False)
    assert "Permission denied" in run.stderr


@needs_root
def test_data_of_root_is_refused(fresh: Path) -> None:
    home = fresh / "home"
    (home / "postgres").mkdir(parents=True)
    with pytest.raises(DatabaseUnavailable, match="belongs to root, as whom PostgreSQL refuses to run"):
        embedded.ensure_running(home)


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
    os_user.run_as(
        user, "/bin/sh", "-c", f'cat {installation}/data && {installation}/bin/program && test "$(id -G)" = {NOBODY}'
    )
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
"""


@needs_root
@needs_linux
def test_an_index_is_built_in_parallel_where_dev_shm_is_small(tmp_path: Path) -> None:
    own_shm = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=4m tmpfs /dev/shm && exec "$@"', "sh"]
    if subprocess.run([*own_shm, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no disk can be mounted here")
    code = START + PARALLEL_INDEX + "embedded.stop(home)"
    run = subprocess.run(
        [*own_shm, sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
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
    with pytest.raises(DatabaseUnavailable, match=rf"initdb failed in {disk} \(\d MB free\)(?s:.*)No space left"):
        embedded.ensure_running(disk)


@needs_root
def test_a_server_on_a_full_disk_says_so_and_comes_back_with_everything(small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("80m")
    url = embedded.ensure_running(disk)
    _ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    embedded.stop(disk)
    with pytest.raises(OSError, match="No space left"):
        (disk / "filler").write_bytes(bytes(80_000_000))
    with pytest.raises(DatabaseUnavailable, match=r"does not start \(0 MB free\)"):
        embedded.ensure_running(disk)
    (disk / "filler").unlink()
    assert _ask(embedded.ensure_running(disk), "SELECT answer FROM kept") == 42
