"""A kind of condition of one's own, an image, goes all the way without a change in the library."""

import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tests.forked import python

import zerosum
from zerosum.conditions.condition import Condition
from zerosum.data.conditions import Conditions
from zerosum.data.dataset import in_memory
from zerosum.data.fingerprints import fingerprint
from zerosum.data.sources.arrays import ArraySource
from zerosum.data.sources.packing import pack
from zerosum.networks.conditioning import Auxiliary, Concatenate, ConditionalNorm
from zerosum.networks.dcgan import DCGANGenerator
from zerosum.report.write import write_report
from zerosum.runs.generator import generator_bytes
from zerosum.terms.auxiliary import AuxiliaryClass
from zerosum.training.train import train

SCRIPT = Path(__file__).with_name("image_runs.py")
killed_run = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "training" / "killed_run.py")))
runs = killed_run.loaded(SCRIPT)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    return Path(train(runs.RECIPE, tmp_path_factory.mktemp("straight") / "run", quiet=True))


def test_a_killed_run_continues_to_the_same_bits(tmp_path, straight):
    killed_run.assert_resumes_to_the_same_bits(SCRIPT, straight, tmp_path / "run")


def test_two_ranks_end_where_one_process_does(tmp_path, straight):
    run = tmp_path / "run"
    assert killed_run.trained(SCRIPT, run, ranks=2) == [0, 0]
    one, other = killed_run.tensors(straight), killed_run.tensors(run)
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, other[name], atol=1e-5, rtol=1e-5, msg=name)


def test_the_generator_is_found_again_and_asked(straight, tmp_path):
    made = runs.Outlined().open()
    generator = zerosum.load(straight, known=runs.KNOWN)
    assert isinstance(generator.condition, runs.Outline) and generator.condition.side == runs.SIDE
    assert torch.equal(generator.condition.examples, made.condition.examples)
    wanted = made.conditions.values[20:23].numpy()
    samples = generator.sample(3, seed=1, conditions=wanted)
    with torch.no_grad():
        x = generator.module(generator.latents(3, seed=1), torch.from_numpy(wanted).float() / 127.5 - 1)
    assert np.array_equal(samples[..., 0], ((x[:, 0] + 1) * 127.5).round().clamp(0, 255).byte().numpy())
    assert not np.array_equal(samples, generator.sample(3, seed=1)), "by default such as the data have"
    assert np.array_equal(generator.conditions(20), made.condition.values(20).numpy())
    again = tmp_path / "generator.safetensors"
    again.write_bytes(generator_bytes(generator))
    assert again.read_bytes() == (straight / "generator.safetensors").read_bytes()
    with pytest.raises(ValueError, match=r"an outline is bytes of shape \(1, 8, 8\); found \(3, 3\)"):
        generator.sample(3, conditions=np.zeros((3, 3), np.uint8))
    with pytest.raises(ValueError, match="has no classes: it was trained without labels"):
        generator.sample(3, labels=0)


def test_an_unknown_kind_is_named(straight):
    with pytest.raises(ValueError, match=r"unknown class 'Outline': if it is yours, pass --use FILE\.py \(or known="):
        zerosum.load(straight / "generator.safetensors", known={"Outlined": runs.Outlined})


def zerosum_sample(run, *arguments, cwd):
    return python("-m", "zerosum", "sample", run, "--use", SCRIPT, "--n", "4", *arguments, cwd=cwd)


def test_the_command_takes_a_file_and_writes_what_was_asked(straight, tmp_path):
    wanted = runs.Outlined().open().conditions.values[30:32].numpy()
    np.save(tmp_path / "two.npy", wanted)
    done = zerosum_sample(straight, "--condition", "two.npy", "--out", "s.npz", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    generator = zerosum.load(straight, known=runs.KNOWN)
    with np.load(tmp_path / "s.npz") as arrays:
        assert np.array_equal(arrays["images"], generator.sample(4, conditions=wanted))
        assert np.array_equal(arrays["conditions"], wanted[[0, 1, 0, 1]])
    done = zerosum_sample(straight, "--out", "folder", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(tmp_path / "folder/conditions.npy"), generator.conditions(4))


def test_texts_that_name_no_file_of_conditions_are_refused(tmp_path):
    kind = runs.Outlined().open().condition
    with pytest.raises(ValueError, match=r"--condition takes FILE\.npy, once, for conditions of the kind Outline"):
        kind.parse(["side=8"], 4)
    (tmp_path / "text.npy").write_text("text")
    with pytest.raises(ValueError, match=r"text\.npy does not read as a \.npy file"):
        kind.parse([str(tmp_path / "text.npy")], 4)


def test_the_report_shows_its_rows(straight):
    page = (straight / "report.html").read_text()
    assert "By outline" in page and 'alt="generated: outline 9"' in page
    write_report(straight, zerosum.load(straight, known=runs.KNOWN), runs.Outlined().open())
    assert 'alt="generated: outline 9"' in (straight / "report.html").read_text()


def test_networks_leave_its_embedding_as_it_begins():
    kind = runs.Outlined().open().condition
    z, c = torch.randn(6, 4), torch.rand(6, 1, 8, 8)
    G = DCGANGenerator(size=4, conditioning=Concatenate(400)).build(4, kind.shape, kind)
    (embedding,) = [module for module in G.modules() if isinstance(module, runs.Flattened)]
    assert embedding.linear.weight.std().item() == pytest.approx(1 / 8, rel=0.1), "and not DCGAN's 0.02"
    G = DCGANGenerator(size=4, conditioning=ConditionalNorm()).build(4, kind.shape, kind)
    assert torch.equal(G(z, c), G(z, c.flip(0))), "conditional norms begin as batch norms"


def test_label_dropout_hides_as_the_kind_says():
    batch = next(iter_batches())
    hidden = (batch.c == 0).flatten(1).all(1)
    assert batch.c.shape == (200, 1, 8, 8) and 0.1 < hidden.double().mean() < 0.3


def iter_batches():
    from zerosum.training.batches import Batches

    return Batches(runs.Outlined().open(), 200, True, 0, torch.device("cpu"), 0, 0.2)


def test_conditions_are_part_of_the_fingerprint():
    one, other = runs.Outlined().open(), runs.Outlined().open()
    assert fingerprint(one) == fingerprint(other)
    other.conditions.values[3, 0, 0, 0] += 1
    assert fingerprint(one) != fingerprint(other)


class Plain(runs.Outline):
    """As a kind that leaves all to the protocol that it need not say."""

    with_unknown, unknown, overview = Condition.with_unknown, Condition.unknown, Condition.overview


def test_what_a_kind_does_not_say_has_a_default_or_is_refused(tmp_path):
    made = runs.Outlined().open()
    plain = Plain(runs.SIDE, made.condition.examples)
    data = replace(made, conditions=Conditions(plain, made.conditions.values))
    (row,) = plain.overview(20, 10).rows
    assert len(row.values) == len(row.captions) == 10
    assert (plain.classes, plain.components, plain.prediction, plain.dtype) == ((), (), None, torch.float32)
    with pytest.raises(
        ValueError, match="needs a condition with a value for 'unknown', which Plain does not have: set"
    ):
        plain.with_unknown()
    with pytest.raises(ValueError, match="Plain has no value for an unknown condition"):
        plain.unknown(2)
    with pytest.raises(ValueError, match="Auxiliary\\(\\) predicts conditions, and none can be predicted of Plain"):
        replace(runs.RECIPE.discriminator, conditioning=Auxiliary()).build(data.shape, plain)
    with pytest.raises(ValueError, match="AuxiliaryClass needs a condition that D can predict; found Outline"):
        train(replace(runs.RECIPE, d_terms=(AuxiliaryClass(),)), tmp_path / "run", quiet=True)
    with pytest.raises(ValueError, match="cannot be packed: its conditions should be labels, rows of numbers, images"):
        pack(runs.Outlined(), tmp_path / "packed")


def test_conditions_that_do_not_fit_are_refused():
    x, kind = torch.zeros(4, 1, 8, 8, dtype=torch.uint8), runs.Outlined().open().condition
    with pytest.raises(ValueError, match="x has 4 samples, but 3 conditions: pass one for each sample"):
        in_memory("x", x, conditions=Conditions(kind, x[:3]))
    with pytest.raises(ValueError, match=r"conditions of x should each be torch.float32 of shape \(1, 8, 8\)"):
        in_memory("x", x, conditions=Conditions(kind, torch.zeros(4, 1, 4, 4, dtype=torch.uint8)))
    with pytest.raises(ValueError, match="array has both labels and conditions, but a game uses one of them: pass"):
        ArraySource(np.zeros((2, 8, 8), np.uint8), np.array([0, 1]), conditions=np.array([0.5, 1.0])).open()
    with pytest.raises(ValueError, match="2 classes have as many names; found 1"):
        zerosum.conditions.Labels(2, classes=("a",))
