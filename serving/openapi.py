"""The OpenAPI document without a server or a database: `python -m serving.openapi`."""

import json
import secrets
import sys

from models.db.settings import Settings
from serving.app import create_app


def print_document() -> None:
    """Print the document as JSON."""
    # A throwaway secret: nothing is signed or verified here, so no key is read from disk or written to it.
    settings = Settings(environment="development", jwks_url=None, jwt_secret=secrets.token_hex())
    json.dump(create_app(settings).openapi(), sys.stdout, indent=1)


if __name__ == "__main__":
    print_document()
