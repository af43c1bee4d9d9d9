"""The subcommands of `matching`, one Typer for each group of them. A command imports what it needs when it is run."""
