"""Modules as networks: given, copied, written down by name and size, and found again."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from zerosum import load, read, train
from zerosum.recipes import ring
from zerosum.recipes.recipe import pretty

pytestmark = pytest.mark.usefixtures("plotless")


class Generator(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, 2))

    def forward(self, z):
        return self.body(z)


def critic():
    return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))


def recipe(**players):
    sizes = {"batch": 16, "images": 96, "tick": 32, "snapshot": 32}
    return replace(ring(), **{"generator": Generator, "discriminator": critic, **sizes, **players})


def test_a_module_is_copied_and_its_weights_are_the_start():
    module = Generator()
    held = recipe(generator=module)
    built = held.generator.build(2, (2,), None)
    assert built is not module
    assert all(torch.equal(a, b) for a, b in zip(built.parameters(), module.parameters(), strict=True))
    assert replace(held, images=32).generator is held.generator
    assert "generator=OwnGenerator(name='Generator', parameters=42)" in repr(held)
    assert "discriminator=OwnDiscriminator(name='critic', parameters=None)" in repr(held)
    assert read(pretty(held)) == held


def test_a_run_never_changes_the_module_and_its_seed_decides_what_a_class_makes(tmp_path):
    module = Generator()
    before = {name: t.clone() for name, t in module.state_dict().items()}
    train(recipe(generator=module), tmp_path / "module", quiet=True)
    assert all(torch.equal(before[name], t) for name, t in module.state_dict().items())
    files = []
    for name, seed in (("one", 1), ("two", 1), ("other", 2)):
        torch.manual_seed(len(files))
        files.append((train(recipe(seed=seed), tmp_path / name, quiet=True) / "generator.safetensors").read_bytes())
    assert files[0] == files[1] != files[2]


def test_a_run_is_loaded_by_a_class_a_function_or_a_module(tmp_path):
    run = train(recipe(generator=Generator(width=12)), tmp_path / "run", quiet=True)
    with pytest.raises(ValueError, match=r"^Generator is a network defined in Python: pass --use FILE.py \(or"):
        load(run)
    with pytest.raises(ValueError, match="Generator has 42 parameters, expected 62: pass the module itself"):
        load(run, known={"Generator": Generator})
    samples = load(run, known={"Generator": Generator(width=12)}).sample(4)
    assert (load(run, known={"Generator": lambda: Generator(12)}).sample(4) == samples).all()


def test_a_stopped_run_goes_on_with_the_same_module(tmp_path):
    module = Generator()
    whole = train(recipe(generator=module), tmp_path / "whole", quiet=True)
    run = train(recipe(generator=module), tmp_path / "run", quiet=True)
    (run / "generator.safetensors").unlink()
    max((run / "checkpoints").iterdir()).rename(tmp_path / "gone")  # so that it goes on from the one before
    train(recipe(generator=module), run, quiet=True)
    assert (run / "generator.safetensors").read_bytes() == (whole / "generator.safetensors").read_bytes()
    with pytest.raises(ValueError, match=r"another recipe: generator\.parameters was 42, is 62"):
        train(recipe(generator=Generator(12)), run, quiet=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda: Generator(), "a lambda has no name to load the run by: pass a function defined with def"),
        (3, "Recipe.generator takes GeneratorSpec; found 3"),
    ],
)
def test_what_cannot_be_a_network_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        recipe(generator=given)


class Needy(nn.Module):
    def __init__(self, width):
        super().__init__()


def number():
    return 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Needy, r"Needy\(\) fails: .*'width'; pass a module, or a function without arguments"),
        (number, r"number\(\) should return a torch.nn.Module; found int"),
    ],
)
def test_what_makes_no_network_is_refused_as_it_is_built(given, message):
    with pytest.raises(ValueError, match=message):
        recipe(generator=given).generator.build(2, (2,), None)
