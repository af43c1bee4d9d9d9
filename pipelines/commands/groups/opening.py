"""The commands that show something: the demo, the pages of Dagster and MLflow, the API, the notebooks, the app."""

from typing import Annotated

import typer
from rich.console import Console

from models.db.settings import get_settings
from pipelines.commands.groups.ready_database import open_ready_database
from pipelines.processes import ports

app = typer.Typer()
console = Console()


@app.command()
def demo() -> None:
    """Show everything on a simulated population.

    Loads 2,000 people, runs the pipeline, and shows one person's matches from the API.
    """
    from pipelines.commands.demo import show_demo

    with open_ready_database() as engine:
        show_demo(engine, get_settings(), console)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="The port of Dagster.")] = ports.DAGSTER_PORT,
    mlflow_port: Annotated[int, typer.Option(help="The port of MLflow.")] = ports.MLFLOW_PORT,
) -> None:
    """Open Dagster and MLflow.

    One instance of each per home. Ctrl-C closes both.
    """
    from pipelines.commands.servers.ui import run_interfaces

    with open_ready_database():
        run_interfaces(get_settings(), console, port, mlflow_port)


@app.command()
def serve(port: Annotated[int, typer.Option(help="The port of the API.")] = ports.API_PORT) -> None:
    """Serve the API on this machine.

    Its documentation is at /docs. Ctrl-C stops it.
    """
    from pipelines.commands.servers.servers import serve_api

    serve_api(port)


@app.command()
def notebooks(port: Annotated[int, typer.Option(help="The port of JupyterLab.")] = ports.NOTEBOOKS_PORT) -> None:
    """Open the notebooks in JupyterLab.

    `make notebooks` installs it. Ctrl-C stops it.
    """
    from pipelines.commands.servers.servers import serve_notebooks

    serve_notebooks(get_settings(), port)


@app.command()
def example(port: Annotated[int, typer.Option(help="The port of the app.")] = ports.EXAMPLE_PORT) -> None:
    """Open the example app of the API, with its backend.

    `make example` installs its packages. It needs the API from `make serve`. Ctrl-C stops both.
    """
    from pipelines.commands.servers.example import run_example

    with open_ready_database():
        run_example(get_settings(), port)
