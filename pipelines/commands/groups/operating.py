"""The commands that operate an installation: its state, publications, people, tables and embedded database."""

import json
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from models.db import embedded, erasure
from models.db import publications as published
from models.db.engines import open_database
from models.db.erasure.person_export import export_person
from models.db.schema.migrations import upgrade_database
from models.db.settings import get_settings
from models.db.tokens import issue_token
from pipelines.commands.groups.ready_database import open_ready_database

app = typer.Typer()
console = Console()

PersonArgument = Annotated[str, typer.Argument(help="A profile id or source key.", show_default=False)]


@app.command()
def status() -> None:
    """Show what is live, and what is due.

    The database, the live publication and its age, the champion, the last run, and what the next run has to do. It
    changes nothing, and does not start the embedded database.
    """
    from pipelines.commands.status import show_status

    show_status(get_settings(), console)


@app.command()
def publications() -> None:
    """List the publications, newest first."""
    table = Table("id", "state", "ranker", "viewers", "pairs", "made", "lists kept", box=None)
    with open_ready_database() as engine, engine.connect() as connection:
        for each in published.list_publications(connection):
            made = f"{each.created_at:%Y-%m-%d %H:%M}"
            counts = f"{each.viewer_count:,}", f"{each.pair_count:,}"
            table.add_row(str(each.id), each.state, each.ranker_version, *counts, made, "yes" if each.kept else "no")
    console.print(table if table.row_count else "no publication yet; make one with `matching run`")


@app.command()
def rollback() -> None:
    """Return to the previous publication.

    Readers see it at once. The one that was live never becomes live again.
    """
    with open_ready_database() as engine:
        console.print(f"publication {published.roll_back(engine).id} is live again")


@app.command()
def erase(who: PersonArgument) -> None:
    """Erase a person everywhere.

    The profile, likes and passes, blocks, impressions, conversations, reports, vectors, positions in all lists, and
    rows in the frames kept between steps.
    If it fails, run it again. Rows that a current run still writes are removed when that run ends.
    """
    from pipelines.store.store_erasure import erase_from_store

    with open_ready_database() as engine:
        with engine.connect() as connection:
            profile_id = erasure.find_profile(connection, who)
        # The files first: while the profile is in the database, a failed erasure can be repeated.
        files = erase_from_store(get_settings(), profile_id)
        with engine.begin() as connection:
            erased = erasure.erase_profile(connection, profile_id)
        # Again: a run that ended in between found no erased profile and kept its rows.
        files += erase_from_store(get_settings(), profile_id)
    console.print(
        f"erased: {erased.interactions} likes and passes, {erased.blocks} blocks, {erased.embeddings} vectors, "
        f"{erased.lists} lists, {erased.places} positions in the lists of others, {erased.withheld} entries in what is "
        f"withheld from others, {erased.likes} in the pending likes of others, {erased.views} impressions, "
        f"{erased.conversations} conversations with {erased.messages} messages, {erased.message_texts} texts, "
        f"{erased.outcomes} outcomes and {erased.conversation_facts} facts, {erased.reports} reports, "
        f"{erased.review_queue} entries of the review queue, {erased.upheld_reports} upheld reports, "
        f"{erased.rate_opt_outs} opt-outs of rates, {erased.experiment_assignments} arms of experiments, "
        f"rows in {files} files"
    )


@app.command()
def export(who: PersonArgument) -> None:
    """Print everything that is kept about a person.

    One JSON: rows of the app tables, of schema matching, and of the frames kept between steps. Of others it shows
    nothing that they decided or wrote.
    """
    from pipelines.store.store_export import export_from_store

    with open_ready_database() as engine, engine.connect() as connection:
        profile_id = erasure.find_profile(connection, who)
        kept = {
            "database": export_person(connection, profile_id),
            "files": export_from_store(get_settings(), profile_id),
        }
    typer.echo(json.dumps(kept, indent=2, ensure_ascii=False, default=str))


@app.command()
def token(
    who: PersonArgument,
    hours: Annotated[float, typer.Option(help="Hours until it expires.", min=0.01, max=24 * 366)] = 24,
) -> None:
    """Print a token for the API.

    The API treats its bearer as this person. For development: in production the app's sign-in issues tokens.
    """
    with open_ready_database() as engine, engine.connect() as connection:
        profile_id = UUID(erasure.find_profile(connection, who))
    typer.echo(issue_token(get_settings(), profile_id, timedelta(hours=hours)))


@app.command()
def migrate() -> None:
    """Migrate DATABASE_URL to the current tables.

    The embedded database is migrated by every command that uses it.
    """
    with open_database(get_settings()) as engine:
        upgrade_database(engine.url.render_as_string(hide_password=False))


@app.command()
def stop() -> None:
    """Stop the embedded database."""
    stopped = embedded.stop(get_settings().home)
    console.print("stopped the embedded database" if stopped else "the embedded database was not running")
