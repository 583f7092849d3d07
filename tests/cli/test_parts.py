"""`zerosum parts` lists just what recipe text may name."""

import json

import pytest
import typer.testing

from zerosum.cli import app
from zerosum.recipes.descriptions import part_named
from zerosum.recipes.reader import read, vocabulary


def parts(*arguments):
    done = typer.testing.CliRunner().invoke(app, ["parts", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_every_part_is_listed_once_with_its_summary():
    listed = json.loads(parts("--json"))
    names = [name for room in listed.values() for name in room]
    assert sorted(names) == sorted(vocabulary())
    assert "Hinge" in listed["objectives"] and "R1" in listed["terms"] and "Digits" in listed["data"]
    text = parts()
    assert all(f"  {name}\n      " in text for name in names)
    assert all(summary for room in listed.values() for _, summary in room.values())


def test_a_room_is_listed_as_its_parts_are_written():
    text = parts("terms")
    assert "  R1(gamma=1.0)\n      gamma/2 E |grad_x D(x)|^2 on real samples" in text
    assert "Hinge" not in text and "  Every(n, term)\n" in text


def test_what_is_written_without_gaps_reads_back_as_the_default():
    for written, _ in json.loads(parts("objectives", "--json"))["objectives"].values():
        if "(inner" not in written and "(objective" not in written:
            assert read(written) == read(written.partition("(")[0] + "()")


def test_a_part_prints_its_documentation():
    text = parts("R1")
    assert text.startswith("R1(gamma=1.0)\n\n") and "weight (>= 0)" in text
    assert json.loads(parts("R1", "--json"))["written"] == "R1(gamma=1.0)"


def test_a_misspelt_name_is_answered_with_close_ones():
    with pytest.raises(ValueError, match=r"no room or part is called 'Hinje'; did you mean .*Hinge"):
        part_named("Hinje")
    with pytest.raises(ValueError, match=r"no room or part is called 'objective'; did you mean objectives"):
        part_named("objective")
