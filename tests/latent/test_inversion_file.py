"""Inversions as files: they come back whole, and what is damaged or of another generator is refused."""

import json

import pytest
import safetensors.torch
import torch
from safetensors import safe_open
from tests.tiny_run import tiny_recipe, untrained

from zerosum.conditions import Labels
from zerosum.latent import InvertOptions, TuneOptions, invert, load_inversion, save_inversion, space_of, tune
from zerosum.runs.generator import load

SHAPE = (1, 8, 8)


def generator_of(seed=0):
    return untrained(tiny_recipe(4, 5), SHAPE, Labels(3), seed)[0]


GENERATOR = generator_of()


@pytest.fixture(scope="module")
def inversion():
    images = torch.rand(2, *SHAPE, generator=torch.Generator().manual_seed(1)) - 0.5
    return invert(space_of(GENERATOR), images, [1, 2], InvertOptions(1, 4, 10, 0, ""))


@pytest.fixture(scope="module")
def tuned(inversion):
    return tune(inversion, TuneOptions(10, change=1.0))


def test_an_inversion_comes_back_from_its_file(inversion, tmp_path):
    (path,) = save_inversion(tmp_path / "a.safetensors", inversion, GENERATOR)
    found = load_inversion(path, GENERATOR)
    assert torch.equal(found.images, inversion.images) and torch.equal(found.errors, inversion.errors)
    assert found.inputs.c.tolist() == [1, 2] and found.space.name == "z" and found.tuned is None


def test_a_tuned_generator_is_a_generator(tuned, inversion, tmp_path):
    paths = save_inversion(tmp_path / "a.safetensors", tuned, GENERATOR)
    assert [path.name for path in paths] == ["a-generator.safetensors", "a.safetensors"]
    found = load_inversion(paths[1], GENERATOR)
    assert torch.equal(found.images, tuned.images) and not torch.equal(found.images, inversion.images)
    assert found.tuned.weights == tuned.tuned.weights
    alone = load(paths[0])
    assert (alone.sample(3) != GENERATOR.sample(3)).any() and alone.classes == GENERATOR.classes


def test_files_of_other_weights_are_refused(inversion, tuned, tmp_path):
    (path,) = save_inversion(tmp_path / "a.safetensors", inversion, GENERATOR)
    with pytest.raises(ValueError, match=r"belongs to other weights \(\w{12}\) than this generator's"):
        load_inversion(path, generator_of(1))
    first, path = save_inversion(tmp_path / "b.safetensors", tuned, GENERATOR)
    _, other = save_inversion(tmp_path / "c.safetensors", tune(tuned, TuneOptions(20, change=1.0)), GENERATOR)
    first.write_bytes((tmp_path / "c-generator.safetensors").read_bytes())
    with pytest.raises(ValueError, match=r"is another generator than the one that .* was tuned with"):
        load_inversion(path, GENERATOR)
    (tmp_path / "c-generator.safetensors").unlink()
    with pytest.raises(ValueError, match=r"is of a tuned generator, and there is no .*c-generator\.safetensors"):
        load_inversion(other, GENERATOR)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "zerosum inversion 9"}, "is not an inversion: its metadata lack 'zerosum inversion 1'"),
        ({"space": "v"}, "is damaged: its space or its numbers are none"),
        ({"points": torch.full((2, 5), torch.nan)}, "is damaged: its space or its numbers are none"),
        ({"targets": torch.zeros(3, *SHAPE)}, "is damaged: its points and images do not agree"),
        ({"weights": torch.ones(2, 1, 8, 7)}, "is damaged: its points and images do not agree"),
        ({"weights": torch.ones(1)}, "is damaged: its points and images do not agree"),
        ({"points": torch.zeros(2, 3)}, "is damaged, or of another kind"),
        ({"c": torch.tensor([7, 8])}, "is damaged, or of another kind"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_damaged_files_are_one_sentence(inversion, tmp_path, change, sentence):
    (path,) = save_inversion(tmp_path / "a.safetensors", inversion, GENERATOR)
    with safe_open(str(path), framework="pt") as file:
        facts = json.loads(file.metadata()["zerosum"])
    tensors = safetensors.torch.load_file(path)
    tensors |= {name: value for name, value in change.items() if isinstance(value, torch.Tensor)}
    facts |= {name: value for name, value in change.items() if isinstance(value, str)}
    safetensors.torch.save_file(tensors, path, {"zerosum": json.dumps(facts)})
    with pytest.raises(ValueError, match=sentence):
        load_inversion(path, GENERATOR)
