"""Directions as values and as files: sums, weights that they belong to, damaged files."""

import json
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from zerosum.game import Normal
from zerosum.latent import Card, LatentModel, load_direction, load_directions, save_direction, space_of
from zerosum.latent.direction import named_direction
from zerosum.networks import DCGANGenerator, StyleGAN2Generator

CARD = Card("slant", 3.0, "data", 0.9, 0.95, {"size": 0.1}, ("size",), 0.97, 1.0, -3.0, 2.5, "score", 200, 0.0)


def model_of(spec=None):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G = (spec or DCGANGenerator(4)).build(5, (1, 8, 8), None).eval()
    return LatentModel(G.requires_grad_(False), Normal(5))


MODEL = model_of()
SPACE = space_of(MODEL)
V, W = torch.randn(2, 5, generator=torch.Generator().manual_seed(0))
ONE, OTHER = named_direction("slant", V, SPACE, "line"), named_direction("size", W, SPACE, "line")


def test_directions_are_scaled_and_added():
    inputs = MODEL.inputs(4)
    wanted = SPACE.images(inputs.z + 2 * V - 0.5 * W, inputs)
    for edit in (ONE * 2 - 0.5 * OTHER, -(0.5 * OTHER) + 2 * ONE, (ONE * 4 - OTHER) * 0.5, ONE + ONE - OTHER * 0.5):
        assert torch.allclose(edit.samples(MODEL, inputs), wanted, atol=1e-6)
    assert torch.allclose((-ONE + ONE * 1).samples(MODEL, inputs), MODEL.outputs(inputs.z), atol=1e-6)


def test_directions_of_z_come_before_those_of_w():
    model = model_of(StyleGAN2Generator(4))
    z, w = space_of(model, "z"), space_of(model, "w")
    inputs, step = model.inputs(3), torch.ones(4)
    edit = named_direction("a", V, z, "") + named_direction("b", step, w, "")
    wanted = w.images(w.at(inputs._replace(z=inputs.z + V)) + step, inputs)
    assert torch.allclose(edit.samples(model, inputs), wanted, atol=1e-5)
    layers = named_direction("c", torch.ones(4, 4), space_of(model, "layers"), "")
    with pytest.raises(ValueError, match="points of w are no inputs of the generator"):
        (edit + layers).samples(model, inputs)


def test_a_direction_of_other_weights_is_refused_by_its_name():
    changed = model_of()
    next(changed.call.parameters())[0] += 1e-4
    with pytest.raises(
        ValueError, match=r"the direction slant belongs to other weights \(\w{12}\) than this generator's"
    ):
        (ONE * 1).samples(changed, changed.inputs(2))
    with pytest.raises(
        ValueError, match=r"the direction slant should have the shape \(5,\) of points in z; found \(4,\)"
    ):
        (replace(ONE, vector=V[:4]) * 1).samples(MODEL, MODEL.inputs(2))
    with pytest.raises(ValueError, match="the strength of slant should be a finite number; found nan"):
        (ONE * float("nan")).samples(MODEL, MODEL.inputs(2))


def test_a_direction_comes_back_from_its_file(tmp_path):
    save_direction(tmp_path, replace(ONE, card=CARD))
    save_direction(tmp_path, OTHER)
    found = load_directions(tmp_path)
    assert {*found} == {"slant", "size"} and found["size"].card is None
    one = load_direction(tmp_path, "slant")
    assert torch.equal(one.vector, V) and one.card.facts == CARD.facts
    assert (one.space, one.weights, one.method) == ("z", MODEL.weights, "line")


def test_a_direction_that_is_not_there_is_one_sentence(tmp_path):
    save_direction(tmp_path, ONE)
    with pytest.raises(ValueError, match="has no direction 'weight'; there are: slant"):
        load_direction(tmp_path, "weight")
    for name in ("", "a/b", "..", "x=1", "a\nb", "n" * 61):
        with pytest.raises(ValueError, match="a direction's name is a file name without / and =; found"):
            load_direction(tmp_path, name)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "zerosum direction 9"}, "is not a direction: its metadata lack 'zerosum direction 1'"),
        ({"space": "v"}, "a direction has a name, a space, the hash of weights and a method; found"),
        ({"card": {}}, "a card has attribute, unit, of, shift, "),
        ({"card": {**CARD.facts, "shift": "much"}}, "the numbers of a card are finite"),
        ({"card": {**CARD.facts, "limit": 3}}, "the names on a card are texts"),
        ({"card": {**CARD.facts, "leakage": 3}}, "is damaged, or of another kind"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_damaged_files_are_one_sentence(tmp_path, change, sentence):
    path = save_direction(tmp_path, replace(ONE, card=CARD))
    with safetensors.safe_open(str(path), framework="pt") as file:
        facts = json.loads(file.metadata()["zerosum"])
    safetensors.torch.save_file({"vector": V}, path, {"zerosum": json.dumps({**facts, **change})})
    with pytest.raises(ValueError, match=sentence):
        load_direction(tmp_path, "slant")
    safetensors.torch.save_file({"vector": V * torch.inf}, path, {"zerosum": json.dumps(facts)})
    with pytest.raises(ValueError, match="a direction's vector is finite float32 numbers"):
        load_direction(tmp_path, "slant")


def test_a_direction_is_finite_numbers_of_its_space():
    for vector in (torch.zeros(5), torch.ones(4), torch.full((5,), torch.nan)):
        with pytest.raises(ValueError, match=r"the direction a should be \(5,\) finite numbers that are not all 0"):
            named_direction("a", vector, SPACE, "line")


def test_a_card_is_text():
    text = "\n".join(CARD.lines("lean"))
    assert "slant +0.90 (1 is 3); rank 0.950" in text and "size +0.10" in text and "orthogonal to size" in text
    assert "class kept 97.0%, 100.0% without the edit" in text and "-3.0 to +2.5, then D's score falls" in text
