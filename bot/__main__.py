"""The command line: `steersman demo | console | policy | rbac | audit | version`.

Here belong options, exit codes and the words that end a run; the work is wired in `bot.app`. Importing this module
costs click and little else, so that `--help` answers at once: what is heavy is imported by the command that needs it.

Exit codes: 0 done, 1 a bug, 2 something that the message explains, 130 interrupted.
"""

import io
import os
import sys
from pathlib import Path
from typing import TextIO

import click

from bot.core.errors import SteersmanError


class _Steersman(click.Group):
    """The group that turns how a command ended into a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> None:
        try:
            code = super().invoke(ctx) or 0
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise  # click has its own ways with these
        except (KeyboardInterrupt, click.Abort):
            code = 130
        except SteersmanError as error:
            if ctx.params["debug"]:
                raise
            code = 2
            click.echo(error.message, err=True)
            if error.hint:
                click.echo(error.hint, err=True)
        except Exception as error:
            if ctx.params["debug"]:
                raise
            code = 1
            click.echo(f"This is a bug in Steersman ({type(error).__name__}); with --debug it shows where.", err=True)
        ctx.exit(code)


@click.group(cls=_Steersman, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show where in the program an error came from.")
def cli(debug: bool) -> None:
    """Steer Kubernetes by typing what you want: deploy, scale, follow, undo."""


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@cli.command()
@click.option("--policy", type=_FILE, metavar="FILE", help="Judge by this policy; its changes count at once.")
def demo(policy: Path | None) -> int:
    """Try it: two simulated clusters and a guided tour.

    It needs no Slack, no cluster and no token. Lines on standard input are run as a script, and answered in plain text.
    """
    from bot.settings import read_settings

    if policy is not None:
        from bot.trial import run_trial

        return run_trial(read_settings(), policy, _script())
    from bot.app import run_demo

    return run_demo(read_settings(), _script())


@cli.command()
@click.option("--context", metavar="NAME", help="Context of the kubeconfig, if not its current one.")
@click.option(
    "--kubeconfig",
    type=_FILE,
    help="The kubeconfig, if not the usual one.",
)
@click.option("-n", "--namespace", metavar="NAME", help="Where to look when a line does not say.")
@click.option("--yes", is_flag=True, help="Write without asking; for scripts.")
def console(context: str | None, kubeconfig: Path | None, namespace: str | None, yes: bool) -> int:
    """The same chat on a real cluster, as the kubeconfig's own user.

    Every write shows its change and asks first, unless --yes. Lines on standard input are run as a script.
    """
    from bot.app import run_console
    from bot.settings import read_settings

    settings = read_settings()
    if kubeconfig is not None:
        settings = settings.model_copy(update={"kubeconfig": kubeconfig})
    return run_console(settings, context, namespace, yes, _script())


@cli.group()
def policy() -> None:
    """Check a policy, explain it, or print its schema."""


@policy.command()
@click.argument("file", type=_FILE)
def check(file: Path) -> None:
    """Say whether FILE is a policy, or what is wrong on which line (exit code 2)."""
    from bot.desk import check

    click.echo(check(file))


_POLICY = click.option(
    "--policy",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("policy.yaml"),
    show_default=True,
    help="The policy's file.",
)


@policy.command()
@_POLICY
@click.option("--as", "person", metavar="PERSON", required=True, help="Who would type it: a name or an id.")
@click.option("--in", "channel", metavar="CHANNEL", default="", help="The channel they would type it in.")
@click.argument("line")
def explain(file: Path, person: str, channel: str, line: str) -> None:
    """Say what the policy answers to LINE: by which rule, as whom it would run, and who else may."""
    from bot.core.policy_explain import Asked
    from bot.desk import show_explanation
    from bot.settings import read_settings

    show_explanation(file, Asked(person, line, channel), read_settings().command)


@policy.command()
def schema() -> None:
    """Print the JSON schema of the policy's file, for editors."""
    from bot.desk import schema

    click.echo(schema(), nl=False)


@cli.command()
@_POLICY
@click.option("--cluster", metavar="NAME", help="Which of the policy's clusters, where it has several.")
@click.option("--mode", type=click.Choice(["person", "role"]), help="As whom people act, if not as the policy says.")
@click.option("--constrained", is_flag=True, help="Limit what the bot may do as others (Kubernetes 1.36).")
@click.option("--account", default="steersman/steersman", show_default=True, help="The bot's namespace/ServiceAccount.")
@click.option("--report", is_flag=True, help="Who can do the same without the bot? Asks --context.")
@click.option("--audit", is_flag=True, help="May the login of --context do too much for a bot? Exit code 2 if so.")
@click.option("--context", metavar="NAME", help="The kubeconfig's context that --report and --audit ask.")
def rbac(
    file: Path,
    cluster: str | None,
    mode: str | None,
    constrained: bool,
    account: str,
    report: bool,
    audit: bool,
    context: str | None,
) -> int:
    """Print the rights that a policy needs on a cluster, for kubectl apply."""
    if report or audit:
        from bot.settings import read_settings
        from bot.survey import run_audit, run_report

        if report and audit:
            raise click.UsageError("--report and --audit are two questions: ask one.")
        settings = read_settings()
        return run_audit(settings, context) if audit else run_report(settings, file, account, context)
    from bot.desk import rights

    click.echo(rights(file, cluster, mode, account, constrained=constrained), nl=False)
    return 0


@cli.group()
def audit() -> None:
    """Prove that the audit is whole, write it out, make its key."""


@audit.command()
@click.option("--checkpoints", type=_FILE, metavar="FILE", multiple=True, help="What the bot wrote on standard output.")
@click.option("--public-key", type=_FILE, metavar="FILE", multiple=True, help="Whose signatures count; several may be.")
def verify(checkpoints: tuple[Path, ...], public_key: tuple[Path, ...]) -> int:
    """Say whether any record was changed, lost or put in, and up to which one that is proved.

    Exit codes: 0 whole, 1 something was found, 2 it could not be looked at.
    """
    from bot.auditor import run_verify
    from bot.settings import read_settings

    return run_verify(read_settings().database_url.get_secret_value(), checkpoints, public_key, click.echo)


@audit.command()
@click.option("--since", metavar="WHEN", default="", help="From here on: 7d, 2026-11-01, 2026-11-01T10:00Z.")
@click.option("--until", metavar="WHEN", default="", help="Up to here, the same way.")
def export(since: str, until: str) -> None:
    """Write the records out, a line of JSON each, in their order."""
    from bot.auditor import run_export
    from bot.settings import read_settings

    if not run_export(read_settings().database_url.get_secret_value(), since, until, click.echo):
        click.echo("There is no record of that time.", err=True)


@audit.command()
@click.option("--new", is_flag=True, help="Make the key first; FILE must not exist.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def key(new: bool, file: Path) -> None:
    """Print a key's public half, for `verify --public-key`; with --new make the key."""
    from bot.auditor import key

    click.echo(key(file, new=new), nl=False)


@cli.command()
def version() -> None:
    """Print the version."""
    from importlib import metadata

    click.echo(f"steersman {metadata.version('steersman')}")


def main() -> None:
    """Start the `steersman` script."""
    cli(prog_name="steersman")


def _script() -> TextIO | None:
    """Return standard input when lines come by it, None when a person sits there at a terminal that can be drawn on.

    Bytes that are no letters become question marks, in and out: a script must not end in the middle for one of them.
    """
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if sys.stdin is None:
        return io.StringIO()
    drawable = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return None if sys.stdin.isatty() and drawable else sys.stdin


if __name__ == "__main__":
    main()
