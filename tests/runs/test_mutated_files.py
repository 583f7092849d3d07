"""Files that anybody may have written, mutated: whatever a reader meets, it is one sentence and no other error."""

import json
import random
import shutil
import struct

import pytest
import torch

from zerosum.autoencoders.latents import load_autoencoder, train_autoencoder
from zerosum.conditions.labels import Labels
from zerosum.data.dataset import in_memory
from zerosum.evaluation.compare import compare
from zerosum.evaluation.scores import Scores, read_scores, write_scores
from zerosum.evaluation.stored import StoredMoments, is_generator, load_moments, save_moments
from zerosum.features.classifier import train_classifier
from zerosum.features.classifier_features import ClassifierFeatures
from zerosum.game.latents import Normal
from zerosum.metrics.moments import moments_of
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.wasserstein import Hinge
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.report.write import write_report
from zerosum.runs.generator import TrainedGenerator, build_generator, generator_bytes, load
from zerosum.runs.run import Run

MUTANTS = 150
ODD = (None, True, -1, 0, 1 << 62, 10**400, 1.5, float("nan"), float("inf"), -1e308, "", "x", [], [1], {}, {"a": None})
RECIPE = Recipe(
    name="tiny",
    generator=MLPGenerator(hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=Hinge(),
    latent=Normal(3),
    conditional=True,
)


class Images:
    def open(self):
        return in_memory("few", torch.randint(0, 256, (32, 1, 8, 8), dtype=torch.uint8))


def generator(path):
    condition = Labels(2, classes=("a", "b"))
    module = build_generator(RECIPE, (1, 4, 4), condition).eval()
    path.write_bytes(generator_bytes(TrainedGenerator(RECIPE, module, (1, 4, 4), 7, condition)))
    return path


def moments(path):
    stored = StoredMoments(moments_of(torch.randn(9, 3)), {"name": "pixels"}, "0" * 64, (4, 4, 1))
    save_moments(path, stored)
    return path


def classifier(path):
    x, labels = torch.randint(0, 256, (20, 1, 8, 8), dtype=torch.uint8), torch.arange(20) % 2
    ClassifierFeatures(train_classifier(x, labels, 2, seen=128, features=4)).save(path)
    return path


def scores(path):
    protocol = {"real.n": 2, "real.content": "x", "fake.n": 2, "features.name": "pixels", "shape": "2", "seed": 0}
    write_scores(path, Scores({"fid": 1.0}, {"fid": 0.1}, protocol, better={"fid": "lower"}))
    return path


def swapped(value, draw):
    """JSON with one of its values replaced by an odd one, at any depth."""
    if not isinstance(value, dict | list) or not value or draw.random() < 0.2:
        return draw.choice(ODD)
    keys = list(value) if isinstance(value, dict) else range(len(value))
    chosen = draw.choice(keys)
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[chosen] = swapped(value[chosen], draw)
    return copy


def mutated_json(content, draw):
    return json.dumps(swapped(json.loads(content), draw)).encode()


def mutated_header(content, draw):
    """A safetensors file with one value of its header, or of the JSON within its metadata, replaced."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    texts = header.get("__metadata__", {})
    nested = [name for name, text in texts.items() if text.startswith("{")]
    if nested and draw.random() < 0.7:
        name = draw.choice(nested)
        texts[name] = json.dumps(swapped(json.loads(texts[name]), draw))
    else:
        header = swapped(header, draw)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def mutated_bytes(content, draw):
    at, kind = draw.randrange(min(len(content), 2_000)), draw.randrange(4)
    if kind == 0:
        return content[: draw.randrange(len(content))]
    if kind == 1:
        return content[:at] + draw.randbytes(draw.randrange(1, 9)) + content[at:]
    if kind == 2:
        return content[:at] + content[at + draw.randrange(1, 9) :]
    flipped = bytearray(content)
    for _ in range(draw.randrange(1, 4)):
        flipped[draw.randrange(min(len(content), 2_000))] ^= 1 << draw.randrange(8)
    return bytes(flipped)


def read_all(path, read, mutate, count=MUTANTS):
    """Read mutants of a file; return how many were refused, each with one sentence."""
    good, draw, refused = path.read_bytes(), random.Random(0), 0
    for _ in range(count):
        path.write_bytes((mutate if draw.random() < 0.6 else mutated_bytes)(good, draw))
        try:
            read(path)
        except (ValueError, OSError) as error:
            refused += 1
            assert str(error) and "\n" not in str(error) and len(str(error)) < 1_000, error
    path.write_bytes(good)
    read(path)
    return refused


@pytest.mark.parametrize(
    ("make", "name", "read"),
    [
        (generator, "generator.safetensors", lambda path: load(path).sample(2)),
        (generator, "other.safetensors", is_generator),
        (moments, "moments.safetensors", lambda path: load_moments(path).moments.covariance),
        (classifier, "classifier.safetensors", lambda path: ClassifierFeatures.load(path).facts),
    ],
    ids=["generator", "which", "moments", "classifier"],
)
def test_mutated_tensors_are_a_sentence(tmp_path, make, name, read):
    assert read_all(make(tmp_path / name), read, mutated_header) > (0 if read is is_generator else MUTANTS // 2) - 1


def test_a_mutated_autoencoder_is_a_sentence(tmp_path):
    train_autoencoder(Images(), tmp_path / "made", size=4, halvings=1, images=16)
    for name, mutate in (("autoencoder.safetensors", mutated_header), ("autoencoder.json", mutated_json)):
        assert read_all(tmp_path / "made" / name, lambda path: load_autoencoder(path.parent), mutate) > MUTANTS // 4


def test_mutated_scores_are_a_sentence(tmp_path):
    other = read_scores(scores(tmp_path / "other.json"))

    def read(path):
        compare({"a": read_scores(path), "b": other})

    assert read_all(scores(tmp_path / "scores.json"), read, mutated_json) > MUTANTS // 4


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "recipe.txt").write_text(pretty(RECIPE))
    generator(folder / "generator.safetensors")
    accuracy = {"class_accuracy": 0.5, "class_accuracy_samples": 20, "class_accuracy_ceiling": 0.9}
    table = {
        "class_accuracy_classifier": "reader",
        "class_accuracies": {"a": 0.4, "b": 0.6},
        "kid": 0.1,
        "kid_error": 1,
    }
    (folder / "scores.json").write_text(json.dumps({**accuracy, **table}))
    (folder / "versions.json").write_text(json.dumps({"zerosum": "1", "threads": 2}))
    line = {"images": 10, "steps": 1, "seconds": 0.5, "D/loss": 1.0, "score/kid": 0.1, "error/kid": 0.01}
    (folder / "log.jsonl").write_text("".join(json.dumps({**line, "images": n}) + "\n" for n in (10, 20)))
    return folder


def mutated_line(content, draw):
    lines = content.splitlines()
    chosen = draw.randrange(len(lines))
    lines[chosen] = mutated_json(lines[chosen], draw)
    return b"\n".join(lines) + b"\n"


@pytest.mark.parametrize(
    ("name", "mutate"), [("scores.json", mutated_json), ("versions.json", mutated_json), ("log.jsonl", mutated_line)]
)
def test_a_report_on_mutated_files_is_a_page_or_a_sentence(run, tmp_path, name, mutate):
    folder = shutil.copytree(run, tmp_path / "run")
    made = load(folder)

    def read(path):
        found = Run(path.parent)
        repr(found), found._repr_html_(), found.curves, found.evaluations
        write_report(found, made, Images().open())

    read_all(folder / name, read, mutate, 60)
