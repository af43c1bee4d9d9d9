"""Settings, read from the environment once per process and never at import."""

import os
import secrets
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.db.errors import InputError


class Settings(BaseSettings):
    """Where things live. Every field is an environment variable, named in its `validation_alias`."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True)

    home: Path = Field(Path(".data"), validation_alias="MATCHING_HOME")
    """Folder of everything this backend keeps on disk: embedded database, frames, MLflow, Dagster."""

    database_url: str | None = Field(None, validation_alias="DATABASE_URL")
    """PostgreSQL with pgvector; unset means the embedded server under `home`."""

    store_url: str | None = Field(None, validation_alias="MATCHING_STORE_URL")
    """Folder or object-store URL of the frames between assets; unset means `home`/store."""

    mlflow_tracking_uri: str | None = Field(None, validation_alias="MLFLOW_TRACKING_URI")
    """MLflow tracking server; unset means SQLite under `home`."""

    dask_scheduler_address: str | None = Field(None, validation_alias="DASK_SCHEDULER_ADDRESS")
    """Dask scheduler for the heavy steps, e.g. tcp://host:8786; unset means in process."""

    jwt_secret: SecretStr | None = Field(None, validation_alias="MATCHING_JWT_SECRET", min_length=32)
    """HS256 secret of the API's tokens, 32 characters or more; unset means a random one kept under `home`."""

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().resolve()

    def signing_secret(self) -> str:
        """The HS256 secret: the one set, else a random one made on first use and kept, readable by the owner only."""
        if self.jwt_secret is not None:
            return self.jwt_secret.get_secret_value()
        path = self.home / "jwt_secret"
        if not path.exists():
            _keep_secret(secrets.token_urlsafe(48), path)
        return path.read_text()


def _keep_secret(secret: str, path: Path) -> None:
    """Write a file that only its owner can read, whole, unless another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:  # made with mode 0600
        file.write(secret)
        file.flush()
        with suppress(FileExistsError):
            os.link(file.name, path)


@cache
def settings() -> Settings:
    """The settings of this process. Raises InputError for a variable that cannot be used, without its value."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{first['loc'][0]}: {first['msg']}") from None
