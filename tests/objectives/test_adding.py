"""A new objective is one file: nothing else is touched, and recipe text can name it at once."""

import sys

import pytest

import zerosum.objectives
from zerosum._rooms import public
from zerosum.recipes.reader import read, vocabulary

CUBE = '''
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor


@dataclass(frozen=True)
class Cube:
    """A made-up game."""

    edge: float = 1.0
    reads_real: ClassVar[bool] = False

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Scalar."""
        return (self.edge - real).pow(3).mean() + fake.pow(3).mean()

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Scalar."""
        return -fake.pow(3).mean()
'''


@pytest.fixture
def room_with(tmp_path, monkeypatch):
    """Put a file into the room of objectives for the length of a test."""
    monkeypatch.setattr(zerosum.objectives, "__path__", [*zerosum.objectives.__path__, str(tmp_path)])
    vocabulary.cache_clear()
    yield lambda name, text: (tmp_path / f"{name}.py").write_text(text)
    vocabulary.cache_clear()
    for name in [path.stem for path in tmp_path.glob("*.py")]:
        sys.modules.pop(f"zerosum.objectives.{name}", None)
        vars(zerosum.objectives).pop(name, None)


def test_an_objective_is_known_the_moment_its_file_exists(room_with):
    room_with("cube", CUBE)
    cube = read("Cube(edge=2)")
    assert repr(cube) == "Cube(edge=2.0)"
    text = f"Recipe(name='cubes', generator=MLPGenerator(), discriminator=MLPDiscriminator(), objective={cube!r})"
    assert read(text).objective == cube


def test_it_is_gone_with_its_file():
    with pytest.raises(ValueError, match="unknown class 'Cube'"):
        read("Cube()")


def test_two_objectives_of_one_name_are_refused(room_with):
    room_with("another", CUBE.replace("Cube", "Hinge"))
    with pytest.raises(ValueError, match=r"Hinge is defined twice in zerosum.objectives: rename one of the two"):
        public("zerosum.objectives")


def test_two_rooms_may_not_share_a_name(room_with):
    room_with("another", CUBE.replace("Cube", "R1"))
    with pytest.raises(ValueError, match="two rooms define R1, which makes recipe text ambiguous: rename one"):
        vocabulary()
