"""A verb is one file: the command line finds it, and starts without what only some verbs need."""

import sys

import pytest
import typer
import typer.testing

import zerosum.cli
from zerosum.cli import FIRST, add, verbs

GREET = '''
import typer


def say_hello(name: str) -> None:
    """Greet somebody."""
    typer.echo(f"hello {name}")
'''


@pytest.fixture
def cli_with(tmp_path, monkeypatch):
    """Put a file into the command line for the length of a test, and build the application anew."""
    monkeypatch.setattr(zerosum.cli, "__path__", [*zerosum.cli.__path__, str(tmp_path)])

    def build(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        app = typer.Typer()
        for verb, module in verbs().items():
            add(app, verb, module)
        return app

    yield build
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(f"zerosum.cli.{path.stem}", None)
        monkeypatch.delattr(zerosum.cli, path.stem, raising=False)


def test_a_verb_is_there_the_moment_its_file_exists(cli_with):
    app = cli_with("say_hello", GREET)
    done = typer.testing.CliRunner().invoke(app, ["say-hello", "reader"])
    assert done.exit_code == 0 and done.stdout == "hello reader\n"
    assert "Greet somebody." in typer.testing.CliRunner().invoke(app, ["--help"]).stdout


def test_verbs_stand_in_the_order_of_work_and_further_ones_by_name(cli_with):
    cli_with("say_hello", GREET)
    names = [*verbs()]
    assert tuple(names[: len(FIRST)]) == FIRST
    assert names[len(FIRST) :] == sorted(names[len(FIRST) :]) and "say-hello" in names


def test_a_file_without_a_verb_is_refused(cli_with):
    with pytest.raises(ValueError, match=r"cli.greet is a file of a verb and has none: define a function greet"):
        cli_with("greet", "def hello(): ...")
