"""`fenghuo topics`: make the topics that are missing."""

import asyncio

import typer

from domain.topics import TOPICS
from fenghuo.commands.answers import console, print_json
from fenghuo.running import read_settings
from fenghuo.topics import ensure_topics, partitions_of


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def topics(
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
        give_up_seconds: float = typer.Option(30.0, min=0, help="How long to wait for the broker."),
    ) -> None:
        """Make the topics that are missing on the broker; safe to repeat."""
        settings, _ = read_settings()
        made = asyncio.run(ensure_topics(settings, give_up_seconds=give_up_seconds))
        if as_json:
            partitions = {name: partitions_of(topic, settings.broker) for name, topic in TOPICS.items()}
            print_json({"made": made, "partitions": partitions})
        else:
            console().print(f"Made {', '.join(made)}." if made else f"All {len(TOPICS)} topics are there.")
