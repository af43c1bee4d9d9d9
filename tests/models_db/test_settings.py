import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import jwt
import pytest

from models.db.engines import resolve_database_url
from models.db.errors import InputError
from models.db.settings import Settings, get_settings
from models.db.tokens import issue_token

SECRET = "a secret of this test, long enough for HS256"


@pytest.fixture
def fresh_settings() -> object:
    """The settings are read once a process: forget them before and after."""
    get_settings.cache_clear()
    yield None
    get_settings.cache_clear()


def test_home_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings(home=Path("here")).home == tmp_path / "here"


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


def test_a_short_secret_is_refused_without_being_told(monkeypatch: pytest.MonkeyPatch, fresh_settings: object) -> None:
    monkeypatch.setenv("MATCHING_JWT_SECRET", "tooshort")
    with pytest.raises(InputError, match=r"MATCHING_JWT_SECRET: .*32") as raised:
        get_settings()
    assert "tooshort" not in str(raised.value)


def test_the_secret_set_is_the_secret_used(tmp_path: Path) -> None:
    assert Settings(home=tmp_path, jwt_secret=SECRET).get_signing_secret() == SECRET
    assert list(tmp_path.iterdir()) == []


def test_an_unset_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    here = Settings(home=tmp_path / "new")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: here.get_signing_secret(), range(16)))
    assert len(set(made)) == 1
    assert len(made[0]) >= 32
    assert stat.S_IMODE((tmp_path / "new" / "jwt_secret").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["jwt_secret"]


@pytest.mark.parametrize("name", ["MATCHING_JWT_SECRET", "MATCHING_CURSOR_SECRET"])
@pytest.mark.parametrize("secret", ["changeme" * 4, "x" * 64, "secret " * 10, "0123456701234567" * 2])
def test_a_placeholder_is_no_secret(
    monkeypatch: pytest.MonkeyPatch, fresh_settings: object, name: str, secret: str
) -> None:
    monkeypatch.setenv(name, secret)
    with pytest.raises(InputError, match=f"{name}: .*repeats") as raised:
        get_settings()
    assert secret not in str(raised.value)


@pytest.mark.parametrize(
    "secret", [secrets.token_hex(), secrets.token_urlsafe(), SECRET], ids=["hex", "base64", "words"]
)
def test_a_secret_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, fresh_settings: object, secret: str) -> None:
    monkeypatch.setenv("MATCHING_JWT_SECRET", secret)
    assert get_settings().get_signing_secret() == secret


def test_in_production_no_secret_is_made_up(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"production.*MATCHING_JWKS_URL"):
        Settings(home=tmp_path, environment="production").get_signing_secret()
    assert Settings(home=tmp_path, environment="production", jwt_secret=SECRET).get_signing_secret() == SECRET
    assert list(tmp_path.iterdir()) == []


def test_beside_published_keys_no_token_can_be_issued(tmp_path: Path) -> None:
    published = Settings(home=tmp_path, jwks_url="https://sign-in.test/jwks")
    with pytest.raises(InputError, match=r"MATCHING_JWKS_URL is set.*sign-in"):
        issue_token(published, uuid4(), timedelta(hours=1))
    assert list(tmp_path.iterdir()) == []


def test_the_secret_of_cursors_is_shared_or_refused(tmp_path: Path) -> None:
    other = SECRET[::-1]
    assert Settings(home=tmp_path, jwt_secret=SECRET).get_cursor_secret() == SECRET
    assert Settings(home=tmp_path, jwt_secret=SECRET, cursor_secret=other).get_cursor_secret() == other
    url = "https://sign-in.test/jwks"
    assert Settings(home=tmp_path, jwks_url=url, cursor_secret=other).get_cursor_secret() == other
    with pytest.raises(InputError, match="MATCHING_CURSOR_SECRET"):
        Settings(home=tmp_path, jwks_url=url).get_cursor_secret()


def test_the_token_has_the_issuer_and_the_audience_that_are_set(tmp_path: Path) -> None:
    person = uuid4()
    mine = Settings(home=tmp_path, jwt_secret=SECRET, jwt_issuer="a", jwt_audience="b")
    claims = jwt.decode(issue_token(mine, person, timedelta(hours=1)), SECRET, ["HS256"], issuer="a", audience="b")
    assert (claims["sub"], claims["exp"] - claims["iat"]) == (str(person), 3600)


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ("https://app.example", ("https://app.example",)),
        ("https://app.example, http://localhost:5173", ("https://app.example", "http://localhost:5173")),
        ("", ()),
    ],
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
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_cannot_be_used_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, fresh_settings: object, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=f"^{name}: "):
        get_settings()


@pytest.mark.parametrize("given", ["postgresql://u:p@h:1/d", "postgres://u:p@h:1/d", "postgresql+asyncpg://u:p@h:1/d"])
def test_one_form_of_url(given: str, tmp_path: Path) -> None:
    assert resolve_database_url(Settings(home=tmp_path, database_url=given)) == "postgresql+psycopg://u:p@h:1/d"


@pytest.mark.parametrize("given", ["mysql://u@h/d", "nonsense", ""])
def test_other_urls_are_refused(given: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="DATABASE_URL"):
        resolve_database_url(Settings(home=tmp_path, database_url=given))
