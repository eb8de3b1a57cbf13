"""`fenghuo score`: one recorded series through the detector that the stream would use, reading by reading."""

import os
import sys

import typer

from domain.errors import Fault, InvalidInput
from fenghuo.commands.answers import console

WRONG, INTERRUPTED = 2, 130
PIECE = 256 * 1024
DOMAINS = ("environment", "health", "stability")
PERIODS = ("hour", "day", "week")


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def score(
        domain: str = typer.Option(..., help="environment: readings; health, stability: counts of a period."),
        period: str = typer.Option(
            "day",
            help="Period of the counts: week, day or hour. Readings have none, and it is not looked at.",
        ),
    ) -> None:
        """Read a CSV `at,value` on standard input (one series) and write `at,value,score,alarm`, one row for each.

        Strictly causal, with the detector and the defaults of the stream. Times are ISO 8601; without a zone they are
        Asia/Shanghai. A row that cannot be judged (no time, no finite number, a time that was there or is behind) has an
        empty score and no alarm. A period without a row is missing, not zero. Exit status 2: wrong options or header.
        """
        try:
            _check("--domain", domain, DOMAINS)
            _check("--period", period, PERIODS)
            _run(domain, period)
        except InvalidInput as error:
            for fault in error.faults:
                console(stderr=True).print(str(fault), markup=False)
            raise typer.Exit(WRONG) from error
        except BrokenPipeError:  # who reads our answer has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except KeyboardInterrupt as interrupt:
            raise typer.Exit(INTERRUPTED) from interrupt


def _check(option: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise InvalidInput([Fault(option, f"{given!r} is none of {', '.join(known)}")])


def _run(domain: str, period: str) -> None:
    """Answer input as it comes: what is there at once is judged at once, and nothing waits for more."""
    from fenghuo.scoring import ANSWERED, Scored, Scorer, judge_for

    scorer = Scorer(judge_for(Scored(domain), period))  # type: ignore[arg-type]  # one of PERIODS
    is_empty = True
    while piece := os.read(sys.stdin.fileno(), PIECE):
        is_empty = False
        sys.stdout.write(scorer.feed(piece))
        sys.stdout.flush()
    sys.stdout.write(scorer.end())
    if is_empty:
        sys.stdout.write(ANSWERED)
        console(stderr=True).print("There was nothing on standard input.")
    sys.stdout.flush()
