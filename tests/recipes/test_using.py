"""Files of one's own: what they define is known, and nothing of them runs before they are named."""

from dataclasses import replace

import pytest
from torch import nn

from zerosum.recipes import Recipe, ring
from zerosum.recipes.using import recipe_in, sources, used

PARTS = """
from dataclasses import dataclass
from torch import nn
from zerosum.terms import R1
from neighbour import Neighbour

@dataclass(frozen=True)
class Mine:
    scale: float = 1.0

class Net(nn.Module):
    pass

net = nn.Linear(2, 3)
def make(): return Net()
_hidden = 3
"""
RECIPES = """
from dataclasses import replace
from zerosum.recipes import Recipe, ring

def first() -> Recipe:
    return replace(ring(), name="first")

second = replace(ring(), name="second")
def plain(): return replace(ring(), name="plain")
number = 3
"""


@pytest.fixture
def written(tmp_path):
    def write(text, name="parts.py"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_what_a_file_defines_is_known_by_name(written):
    written("class Neighbour: pass", "neighbour.py")
    file = written(PARTS)
    known = used([file])
    assert {"Mine", "Net", "Neighbour", "net", "make"} <= set(known)
    assert not {"R1", "_hidden", "dataclass", "nn"} & set(known)
    assert known["Linear:9"] is known["net"]
    assert used([file])["Mine"] is known["Mine"], "imported once"


def test_a_module_may_be_named_as_well(written, monkeypatch, tmp_path):
    written("class Fractional: pass", "a_module_of_mine.py")
    monkeypatch.syspath_prepend(tmp_path)
    assert [*used(["a_module_of_mine"])] == ["Fractional"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = nothing", r"parts.py cannot be imported: NameError: name 'nothing' is not defined \(line 1\)"),
        ("def f(:", "parts.py cannot be imported: SyntaxError"),
        ("class Hinge: pass", "parts.py defines Hinge, which zerosum defines too: rename yours"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(written, text, message):
    with pytest.raises(ValueError, match=message):
        used([written(text)])


def test_a_missing_file_or_module_is_an_error():
    with pytest.raises(ValueError, match=r"file not found: nowhere\.py"):
        used(["nowhere.py"])
    with pytest.raises(ValueError, match="nowhere_at_all cannot be imported: ModuleNotFoundError"):
        used(["nowhere_at_all"])


def test_a_recipe_is_found_in_a_file(written):
    file = written(RECIPES)
    assert recipe_in(f"{file}:first").name == "first"
    assert recipe_in(f"{file}:second").name == "second"
    assert recipe_in(f"{file}:plain").name == "plain"
    with pytest.raises(ValueError, match=r"defines several recipes: choose one, as .*:first; it defines first, second"):
        recipe_in(file)
    with pytest.raises(ValueError, match="has no 'third'; it defines first, second"):
        recipe_in(f"{file}:third")
    with pytest.raises(ValueError, match="number should be a Recipe or a function that returns one; found int"):
        recipe_in(f"{file}:number")
    assert recipe_in(written(RECIPES + "recipe = second", "named.py")).name == "second"
    assert recipe_in(written(RECIPES.replace("second =", "_second ="), "one.py")).name == "first"
    with pytest.raises(ValueError, match="defines no recipe: add one"):
        recipe_in(written("x = 1", "none.py"))


def test_sources_of_own_parts_are_fingerprinted():
    class Session(nn.Linear):
        pass

    recipe = replace(ring(), generator=Session(2, 2))
    assert isinstance(recipe, Recipe)
    assert list(sources(recipe)) == ["Session"]
    assert sources(recipe)["Session"].startswith("test_using.py, sha256 ")
    assert sources(ring()) == {}
