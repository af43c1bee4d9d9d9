import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.db.engines import database_url
from models.db.errors import InputError
from models.db.settings import Settings, settings


@pytest.fixture
def fresh_settings() -> object:
    """The settings are read once a process: forget them before and after."""
    settings.cache_clear()
    yield None
    settings.cache_clear()


def test_home_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings(home=Path("here")).home == tmp_path / "here"


def test_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fresh_settings: object) -> None:
    monkeypatch.setenv("MATCHING_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@h/d")
    monkeypatch.setenv("MATCHING_STORE_URL", "memory://x")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://h")
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://h:1")
    read = settings()
    assert (read.home, read.database_url, read.store_url) == (tmp_path, "postgresql://u@h/d", "memory://x")
    assert (read.mlflow_tracking_uri, read.dask_scheduler_address) == ("http://h", "tcp://h:1")


def test_a_short_secret_is_refused_without_being_told(monkeypatch: pytest.MonkeyPatch, fresh_settings: object) -> None:
    monkeypatch.setenv("MATCHING_JWT_SECRET", "tooshort")
    with pytest.raises(InputError, match=r"MATCHING_JWT_SECRET: .*32") as raised:
        settings()
    assert "tooshort" not in str(raised.value)


def test_the_secret_set_is_the_secret_used(tmp_path: Path) -> None:
    assert Settings(home=tmp_path, jwt_secret="s" * 40).signing_secret() == "s" * 40
    assert list(tmp_path.iterdir()) == []


def test_an_unset_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    here = Settings(home=tmp_path / "new")
    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(lambda _: here.signing_secret(), range(16)))
    assert len(set(secrets)) == 1
    assert len(secrets[0]) >= 32
    assert stat.S_IMODE((tmp_path / "new" / "jwt_secret").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["jwt_secret"]


@pytest.mark.parametrize("given", ["postgresql://u:p@h:1/d", "postgres://u:p@h:1/d", "postgresql+asyncpg://u:p@h:1/d"])
def test_one_form_of_url(given: str, tmp_path: Path) -> None:
    assert database_url(Settings(home=tmp_path, database_url=given)) == "postgresql+psycopg://u:p@h:1/d"


@pytest.mark.parametrize("given", ["mysql://u@h/d", "nonsense", ""])
def test_other_urls_are_refused(given: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="DATABASE_URL"):
        database_url(Settings(home=tmp_path, database_url=given))
