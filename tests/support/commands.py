"""The command `matching` in the process of the tests: what it imports is imported once for all of them."""

import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from unittest import mock

import pytest

from models.db.settings import get_settings
from pipelines import cli


def run_command(environment: Mapping[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command with this environment and no other variable, to its end."""
    out, err, command = StringIO(), StringIO(), ["matching", *words]
    with (
        mock.patch.dict(os.environ, dict(environment), clear=True),
        mock.patch.object(sys, "argv", command),
        mock.patch.object(logging.getLogger(), "handlers", []),  # pytest's, which would keep warnings from stderr
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        get_settings.cache_clear()
        with pytest.raises(SystemExit) as ended:
            cli.main()
    get_settings.cache_clear()
    return subprocess.CompletedProcess(command, int(ended.value.code or 0), out.getvalue(), err.getvalue())
