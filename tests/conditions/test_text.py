"""A caption as the condition: words in their order, from the data to prompts, through a killed run to the same bits."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

import zerosum
from zerosum.cli import main
from zerosum.conditions import Text
from zerosum.conditions.text import words_of
from zerosum.networks.conditioning import ConditionalNorm, Projection
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.probes.scenes import COLOURS, KINDS, Scenes
from zerosum.training.batches import Batches
from zerosum.training.train import train

SCRIPT = Path(__file__).with_name("text_runs.py")
killed_run = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "training" / "killed_run.py")))
runs = killed_run.loaded(SCRIPT)
KIND = Text(("a", "blue", "left", "of", "red", "square"), 6)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    return Path(train(runs.RECIPE, tmp_path_factory.mktemp("straight") / "run", quiet=True))


def test_a_killed_run_continues_to_the_same_bits(tmp_path, straight):
    killed_run.assert_resumes_to_the_same_bits(SCRIPT, straight, tmp_path / "run")


def test_a_generator_follows_prompts_in_python(straight):
    generator = zerosum.load(straight, known=runs.KNOWN)
    kind, data = generator.condition, runs.SmallScenes().open()
    assert isinstance(kind, Text) and kind.nullable and kind == data.condition.with_unknown()
    assert torch.equal(kind.examples, data.condition.examples)
    prompt = "A large red circle, left of a small blue square."
    samples = generator.sample(3, seed=1, conditions=prompt)
    with torch.no_grad():
        x = generator.module(generator.latents(3, seed=1), kind.tokens([prompt] * 3))
    assert np.array_equal(samples, ((x + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy())
    swapped = generator.sample(3, seed=1, conditions=["a small blue square left of a large red circle"])
    assert not np.array_equal(samples, swapped)
    two = generator.sample(3, seed=1, conditions=[prompt, "none"])
    assert np.array_equal(two[[0, 2]], samples[[0, 2]]) and not np.array_equal(two[1], samples[1])
    assert np.array_equal(two, generator.sample(3, seed=1, prompts=[prompt, "none"]))
    with pytest.raises(ValueError, match="no caption of the data has the word 'crimson': there are a, above"):
        generator.sample(1, prompts="a crimson circle")
    with pytest.raises(ValueError, match="sample was given both conditions and prompts, which are the same"):
        generator.sample(1, prompts=[prompt], conditions=[prompt])


def test_the_command_takes_prompts(straight, tmp_path, monkeypatch):
    prompts = ["a small red circle", "a large green square"]
    flags = [part for prompt in prompts for part in ("--prompt", prompt)]
    target = tmp_path / "s.npz"
    command = ["sample", str(straight), "--use", str(SCRIPT), "--n", "2", *flags, "--out", str(target)]
    monkeypatch.setattr(sys, "argv", ["zerosum", *command])
    with pytest.raises(SystemExit, match=r"^0$"):
        main()
    generator = zerosum.load(straight, known=runs.KNOWN)
    with np.load(target) as arrays:
        assert np.array_equal(arrays["images"], generator.sample(2, conditions=prompts))
        assert np.array_equal(generator.sample(2, conditions=arrays["conditions"]), arrays["images"])
    page, kind = (straight / "report.html").read_text(), generator.condition
    assert "Caption by caption" in page and f"generated: {kind.caption(kind.examples[0])}" in page


def test_captions_are_read_as_words():
    assert words_of("A RED square's edge, left-of 2 caf\u0065\u0301s!") == [
        "a",
        "red",
        "square's",
        "edge",
        "left-of",
        "2",
        "caf\u00e9s",
    ]
    assert KIND.values(1, "A red square.").tolist() == [[1, 5, 6, 0, 0, 0]]
    assert KIND.values(3, ["a", "red square"]).tolist() == [[1, 0, 0, 0, 0, 0], [5, 6, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]]
    assert torch.equal(KIND.values(2, np.array([[5, 6, 0, 0, 0, 0]])), KIND.tokens(["red square"] * 2))
    assert KIND.caption(KIND.tokens(["red left of blue"])[0]) == "red left of blue"
    assert (
        KIND.parse(["a red", "blue"], 4) == ["a red", "blue"] and KIND.encode(KIND.tokens(["a"])).dtype == torch.int64
    )
    assert Text.of(["A dog", "a cat sat"]) == Text(("a", "cat", "dog", "sat"), 3)
    assert Text.of(["x " * 90]).length == 64
    many = Text.of([" ".join(f"w{i}" for i in range(20_000)), "w9 w19999"])
    assert len(many.words) == 1 << 14 and {"w9", "w19999"} <= {*many.words}
    assert (KIND.shape, KIND.classes, KIND.components, KIND.prediction) == ((6,), (), (), None)


def test_captions_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="no caption of the data has the word 'blues': did you mean blue"):
        KIND.values(1, "a blues square")
    with pytest.raises(ValueError, match="a caption has 1 to 6 words; found 7 in 'a a a a a a a'"):
        KIND.values(1, "a a a a a a a")
    with pytest.raises(ValueError, match=r"a caption has 1 to 6 words; found 0 in '\.\.\.'"):
        KIND.values(1, ["..."])
    with pytest.raises(ValueError, match="has the word 'none'"):
        KIND.values(1, "none")
    assert KIND.with_unknown().values(1, "none").tolist() == KIND.unknown(1).tolist() == [[0] * 6]
    for wrong in ([1.5], [[7] + [0] * 5], [[0] * 6], np.zeros((2, 5), int), [], 3):
        with pytest.raises(ValueError, match=r"conditions are captions, texts or indices \(n, 6\) of words from 1"):
            KIND.values(1, wrong)
    with pytest.raises(ValueError, match="this condition is a caption and has no examples: pass captions"):
        KIND.values(1)
    with pytest.raises(ValueError, match="captions here are 6 indices of words; found shape"):
        KIND.embed(4)(torch.zeros(2, 5, dtype=torch.int64))


def test_facts_are_restored_and_hostile_ones_refused():
    kind = Text(KIND.words, 6, True, KIND.tokens(["a red", "a blue"]))
    again = Text.restored(kind.facts, kind.state_dict())
    assert again == kind and torch.equal(again.examples, kind.examples)
    facts = kind.facts
    for wrong, match in (
        ({"words": "abc"}, "Text needs a list of words"),
        ({"words": ["a", 1]}, "Text needs a list of words"),
        ({"length": 2.0}, "Text needs a list of words"),
        ({"nullable": 1}, "Text needs a list of words"),
        ({"words": []}, "a vocabulary has 1 to 16,384 words, each once; found 0"),
        ({"words": ["a", "a"]}, "a vocabulary has 1 to 16,384 words, each once; found 2"),
        ({"words": ["a b"]}, "a word of a vocabulary is one in lower case, without spaces; found 'a b'"),
        ({"words": ["\x1b[31m"]}, "a word of a vocabulary is one in lower case"),
        ({"length": 10**9}, "a caption has a length of 1 to 64 words; found 1000000000"),
        ({"length": 5}, r"examples of captions are int64 \(n, 5\), from 0 to 6"),
    ):
        with pytest.raises(ValueError, match=match):
            Text.restored(facts | wrong, kind.state_dict())
    for state in ({"other": torch.zeros(1)}, {"examples": torch.full((2, 6), 7)}, {"examples": torch.zeros(2, 6)}):
        with pytest.raises(ValueError, match=r"Text needs|examples of captions"):
            Text.restored(facts, state)


def test_an_embedding_depends_on_the_order_of_words_and_not_on_padding():
    torch.manual_seed(0)
    embedding = KIND.embed(500, 2.0, 1.0)
    c = KIND.tokens(["red left of blue", "blue left of red", "red left of blue square", "a"])
    rows = torch.cat([embedding(c), embedding(KIND.unknown(1))])
    assert rows.isfinite().all() and rows.mean().item() == pytest.approx(1, abs=0.3)
    assert rows.std(1).mean().item() == pytest.approx(2, rel=0.15)
    apart = torch.pdist(rows)
    assert apart.min() > 1, "captions of the same words in another order differ"
    assert torch.allclose(embedding(c[3:]), embedding(torch.cat([c, c])[3:4]), atol=1e-6)
    longer = Text(KIND.words, 9).embed(500, 2.0, 1.0)
    weights = embedding.state_dict()
    for name in ("direct.weight", "hidden.weight"):
        weights[name] = torch.cat([weights[name], torch.ones(len(weights[name]), 3 * 32)], 1)
    longer.load_state_dict(weights)
    padded = torch.nn.functional.pad(c, (0, 3))
    torch.testing.assert_close(longer(padded), embedding(c), atol=1e-5, rtol=1e-5)
    assert torch.equal(KIND.embed(5, 0.0, 1.0)(c), torch.ones(4, 5))


def test_an_embedding_learns_what_is_left_of_what():
    torch.manual_seed(0)
    texts = [
        f"{one} {two} left of {other} {kind}"
        for one in ("a", "square")
        for two in ("red", "blue")
        for other in ("red", "blue")
        for kind in ("square", "a")
    ]
    wanted = torch.tensor([float(text.split()[1] == "red" and text.split()[4] == "blue") for text in texts])
    embedding, c = KIND.embed(1), KIND.tokens(texts)
    optimiser = torch.optim.Adam(embedding.parameters(), lr=0.01)
    for _ in range(120):
        loss = (embedding(c)[:, 0] - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.02


def test_an_embedding_is_a_sum_over_words_beside_a_hidden_layer():
    torch.manual_seed(0)
    embedding = KIND.embed(3)
    c = KIND.tokens(["red left", "blue left", "red square", "blue square"])
    rows = embedding(c)
    assert (rows[0] - rows[1] - rows[2] + rows[3]).abs().min() > 1e-3
    torch.nn.init.zeros_(embedding.linear.weight)
    rows = embedding(c)
    torch.testing.assert_close(rows[0] - rows[1], rows[2] - rows[3])
    words, weight, bias = embedding.words.weight, embedding.direct.weight, embedding.direct.bias
    by_hand = weight[:, :32] @ words[5] + weight[:, 32:64] @ words[3]
    torch.testing.assert_close(rows[0], bias + by_hand / 2**0.5)


def test_an_embedding_learns_pairs_of_words_from_others():
    """A linear map of it reads colour and kind of pairs that were in no caption."""
    torch.manual_seed(0)
    scenes, unseen = (Scenes(count=1500, shapes=1, part=part) for part in ("train", "test"))
    kind = scenes.open().condition
    (c, wanted), (test, answers) = ((kind.tokens(s.captions()), read(s.captions())) for s in (scenes, unseen))
    embedding, linear = kind.embed(64), torch.nn.Linear(64, 9)
    optimiser = torch.optim.Adam([*embedding.parameters(), *linear.parameters()], lr=3e-3)
    for step in range(70):
        rows = slice(16 * step, 16 * step + 16)
        colour, shape = linear(embedding(c[rows])).split([6, 3], 1)
        loss = cross_entropy(colour, wanted[rows, 0]) + cross_entropy(shape, wanted[rows, 1])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    colour, shape = linear(embedding(test)).split([6, 3], 1)
    right = (colour.argmax(1) == answers[:, 0]) & (shape.argmax(1) == answers[:, 1])
    assert right.double().mean() > 0.95


def read(captions):
    """The colour and the kind of each caption of one shape."""
    return torch.tensor([[COLOURS.index(words[2]), KINDS.index(words[3])] for words in map(str.split, captions)])


@pytest.mark.parametrize("norm", ["batch", "spectral"])
def test_convolutional_networks_take_captions(norm):
    z, c = torch.randn(4, 3), KIND.tokens(["a red", "red a", "blue", "a"])
    D = DCGANDiscriminator(size=4, norm=norm, conditioning=Projection()).build((3, 16, 16), KIND)
    x = torch.randn(4, 3, 16, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(D(x, c).score.sum(), x, create_graph=True)
    gradient.square().sum().backward()
    named = {name for name, parameter in D.named_parameters() if parameter.grad is not None}
    assert any("words" in name for name in named), "a gradient penalty reaches the words"
    G = DCGANGenerator(size=4, conditioning=ConditionalNorm()).build(3, (3, 16, 16), KIND)
    assert G(z, c).shape == (4, 3, 16, 16)


def test_label_dropout_hides_captions():
    batch = next(Batches(runs.SmallScenes().open(), 200, True, 0, torch.device("cpu"), 0, 0.2))
    hidden = (batch.c == 0).all(1)
    assert batch.c.dtype == torch.int64 and 0.1 < hidden.double().mean() < 0.3
