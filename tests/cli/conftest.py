"""What tests of commands use."""

import sys

import pytest

from zerosum.cli import main


@pytest.fixture
def zerosum_command(run, monkeypatch, capsys):
    """A command in this process, beside the folder of a module's `run`: exit code, standard output and error."""
    monkeypatch.chdir(run.path.parent)

    def called(*arguments):
        monkeypatch.setattr(sys, "argv", ["zerosum", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        return code, *capsys.readouterr()

    return called
