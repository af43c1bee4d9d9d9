import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import jwt
import pytest

from models.db.errors import InputError
from models.db.settings import Settings, get_settings
from models.db.tokens import issue_token

SECRET = "a secret of this test, long enough for HS256"
OTHER = SECRET[::-1]
JWKS_URL = "https://sign-in.test/jwks"


@pytest.fixture
def fresh_settings() -> object:
    """The settings are read once a process: forget them before and after."""
    get_settings.cache_clear()
    yield None
    get_settings.cache_clear()


def test_variables_of_others_are_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("MATCHING_HOME", "MATCHING_STORE_URL", "MATCHING_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/somebody")
    monkeypatch.setenv("STORE_URL", "s3://somebody's")
    monkeypatch.setenv("ENVIRONMENT", "production")
    read = Settings()
    assert (read.home, read.store_url, read.environment) == (tmp_path / ".data", None, "development")


def test_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fresh_settings: object) -> None:
    monkeypatch.setenv("MATCHING_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@h/d")
    monkeypatch.setenv("MATCHING_STORE_URL", "memory://x")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://h")
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://h:1")
    read = get_settings()
    assert (read.home, read.database_url, read.store_url) == (tmp_path, "postgresql://u@h/d", "memory://x")
    assert (read.mlflow_tracking_uri, read.dask_scheduler_address) == ("http://h", "tcp://h:1")


@pytest.mark.parametrize("secret", [secrets.token_hex(), secrets.token_urlsafe(), SECRET], ids=["hex", "url", "words"])
def test_a_secret_is_taken_as_it_is(tmp_path: Path, secret: str) -> None:
    assert Settings(home=tmp_path, jwt_secret=secret).get_signing_secret() == secret
    assert Settings(home=tmp_path, jwt_secret=secret).get_cursor_secret() == secret
    assert Settings(home=tmp_path, jwt_secret=secret, cursor_secret=OTHER).get_cursor_secret() == OTHER
    assert Settings(home=tmp_path, jwks_url=JWKS_URL, cursor_secret=OTHER).get_cursor_secret() == OTHER
    assert list(tmp_path.iterdir()) == []


def test_an_unset_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    here = Settings(home=tmp_path / "new")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: here.get_signing_secret(), range(16)))
    assert len(set(made)) == 1
    assert len(made[0]) >= 32
    assert stat.S_IMODE((tmp_path / "new" / "jwt_secret").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["jwt_secret"]


def test_no_secret_is_made_up_where_none_may_be(tmp_path: Path) -> None:
    production = Settings(home=tmp_path, environment="production")
    with pytest.raises(InputError, match="MATCHING_JWKS_URL"):
        production.get_signing_secret()
    with pytest.raises(InputError, match="MATCHING_JWKS_URL"):
        issue_token(Settings(home=tmp_path, jwks_url=JWKS_URL), uuid4(), timedelta(hours=1))
    with pytest.raises(InputError, match="MATCHING_CURSOR_SECRET"):
        Settings(home=tmp_path, jwks_url=JWKS_URL).get_cursor_secret()
    assert list(tmp_path.iterdir()) == []
    assert Settings(home=tmp_path, environment="production", jwt_secret=SECRET).get_signing_secret() == SECRET


def test_the_token_has_the_issuer_and_the_audience_that_are_set(tmp_path: Path) -> None:
    person = uuid4()
    mine = Settings(home=tmp_path, jwt_secret=SECRET, jwt_issuer="a", jwt_audience="b")
    claims = jwt.decode(issue_token(mine, person, timedelta(hours=1)), SECRET, ["HS256"], issuer="a", audience="b")
    assert (claims["sub"], claims["exp"] - claims["iat"]) == (str(person), 3600)


@pytest.mark.parametrize(
    ("given", "origins"),
    [("https://app.example, http://localhost:5173", ("https://app.example", "http://localhost:5173")), ("", ())],
)
def test_origins_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, fresh_settings: object, given: str, origins: tuple[str, ...]
) -> None:
    monkeypatch.setenv("MATCHING_CORS_ORIGINS", given)
    assert get_settings().cors_origins == origins


REFUSED = [
    ("MATCHING_CORS_ORIGINS", "*"),
    ("MATCHING_CORS_ORIGINS", "https://*.example"),
    ("MATCHING_CORS_ORIGINS", "https://app.example/"),
    ("MATCHING_CORS_ORIGINS", "https://app.example,app2.example"),
    ("MATCHING_JWKS_URL", "file:///etc/passwd"),
    ("MATCHING_JWKS_URL", "sign-in.example"),
    ("MATCHING_JWKS_URL", "https://"),
    ("MATCHING_JWKS_URL", ""),
    ("MATCHING_ENV", "staging"),
    ("MATCHING_JWT_ISSUER", ""),
    ("MATCHING_JWT_LEEWAY_SECONDS", "-1"),
    ("MATCHING_JWT_LEEWAY_SECONDS", "3600"),
    ("MATCHING_RATE_PER_SECOND", "0"),
    ("MATCHING_RATE_BURST", "0"),
    ("MATCHING_JWT_SECRET", "tooshort"),
    ("MATCHING_JWT_SECRET", "changeme" * 4),
    ("MATCHING_JWT_SECRET", "secret " * 10),
    ("MATCHING_CURSOR_SECRET", "x" * 64),
    ("MATCHING_CURSOR_SECRET", "0123456701234567" * 2),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_cannot_be_used_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, fresh_settings: object, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=f"^{name}: ") as raised:
        get_settings()
    assert "SECRET" not in name or value not in str(raised.value)
