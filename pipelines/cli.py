"""The command line, `matching`."""

import atexit
import gc
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.console import Console

from models.db.errors import MatchingError
from pipelines.commands.groups import experimenting, loading, opening, operating, running

USAGE_ERROR = 2

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="The matching backend of Delete: load people, run the pipeline, list and undo publications.",
)
# The help lists the commands in this order.
app.add_typer(loading.load, name="load")
app.add_typer(running.app)
app.add_typer(experimenting.experiment, name="experiment")
for group in (operating, opening):
    app.add_typer(group.app)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"matching {version('delete-matching')}")
        raise typer.Exit


@app.callback()
def read_options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Read the options that come before a command."""


def main() -> None:
    """Run the command. An error that the user can fix becomes one line and exit status 2."""
    # Collecting garbage among the many objects of the imports would slow down starting and exiting.
    gc.set_threshold(20_000, 20, 100)
    atexit.register(gc.freeze)
    try:
        app()
    except MatchingError as error:
        _exit_with_error(str(error))
    except OSError as error:
        _exit_with_error(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))


def _exit_with_error(message: str) -> None:
    Console(stderr=True).print(
        f"matching: {' '.join(message.split())}", style="red", highlight=False, markup=False, soft_wrap=True
    )
    sys.exit(USAGE_ERROR)
