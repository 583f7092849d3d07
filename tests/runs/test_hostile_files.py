"""Checkpoints and generators that somebody else wrote: whatever they hold, it is a sentence, and nothing of it runs."""

import hashlib
import json
import os
import struct
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from zerosum._text import printable
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.wasserstein import Hinge
from zerosum.recipes.recipe import Recipe
from zerosum.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from zerosum.runs.generator import TrainedGenerator, build_generator, generator_bytes, load
from zerosum.runs.log import read_log

RECIPE = Recipe(
    name="tiny",
    generator=MLPGenerator(hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=Hinge(),
    latent=Normal(3),
)
GOOD = safetensors.torch.save({"w": torch.ones(2)})


def rewritten(folder, **contents):
    """A checkpoint in which files hold something else, with a manifest that vouches for it."""
    save_checkpoint(folder, Checkpoint({"G": {"w": torch.ones(2)}}, {"images": 1}))
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, content in contents.items():
        file = f"{name}.json" if name == "numbers" else f"{name}.safetensors"
        (folder / file).write_bytes(content)
        manifest[file] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def header(text, length=None):
    """A safetensors file of a header and no more."""
    return struct.pack("<Q", len(text) if length is None else length) + text


TENSOR = b'{"w":{"dtype":"F32","shape":[%b],"data_offsets":[0,%d]}}'
HEADERS = {
    "absurd length": header(b"{}", 2**63),
    "length beyond the file": header(b"{}", 10_000),
    "no file at all": b"",
    "a pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00",
    "a shape of terabytes": header(TENSOR % (b"1000000000000", 8)) + bytes(8),
    "a shape that overflows": header(TENSOR % (b"9223372036854775807,9223372036854775807", 8)) + bytes(8),
    "a negative shape": header(TENSOR % (b"-2", 8)) + bytes(8),
    "offsets beyond the file": header(TENSOR % (b"2", 1 << 40)) + bytes(8),
    "a foreign kind": header(b'{"w":{"dtype":"OBJ","shape":[2],"data_offsets":[0,8]}}') + bytes(8),
    "no JSON": header(b"<html></html>"),
    "depth": header(b"[" * 50_000 + b"]" * 50_000),
    "a name given twice": header(
        b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
    )
    + bytes(8),
}
NUMBERS = {
    "no number": (b'{"images": NaN}', "is not valid JSON"),
    "infinity": (b'{"images": Infinity}', "Infinity is not a number in JSON"),
    "a key given twice": (b'{"images": 1, "images": 2}', "it has a duplicate key"),
    "depth": (b"[" * 100_000 + b"]" * 100_000, "numbers.json is nested too deep"),
    "a huge number": (b'{"images": ' + b"9" * 10_000 + b"}", "is not valid JSON"),
    "a list": (b"[1]", "numbers.json should be a JSON object"),
    "bytes": (b"\xff\xfe\x00", "is not valid JSON"),
}


@pytest.mark.parametrize("content", HEADERS.values(), ids=HEADERS)
def test_tensors_that_are_none(tmp_path, content):
    with pytest.raises(ValueError, match=r"G\.safetensors is not a valid safetensors file: ") as caught:
        load_checkpoint(rewritten(tmp_path / "c", G=content))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(("content", "sentence"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_that_are_none(tmp_path, content, sentence):
    with pytest.raises(ValueError, match=sentence):
        load_checkpoint(rewritten(tmp_path / "c", numbers=content))


@pytest.mark.parametrize(
    "name", ["../../secret.safetensors", "/etc/passwd.json", "a/b.safetensors", "..", "x.pt", "x.json"]
)
def test_names_that_lead_elsewhere(tmp_path, name):
    folder = rewritten(tmp_path / "c")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({name: "0" * 64, **manifest}))
    with pytest.raises(ValueError, match="its manifest names an unexpected file"):
        load_checkpoint(folder)


def test_a_name_in_a_sentence_moves_no_cursor(tmp_path):
    folder = rewritten(tmp_path / "c")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({"\x1b[2Jx/" + "y" * 9_999: "0", **manifest}))
    with pytest.raises(ValueError, match="its manifest names an unexpected file") as caught:
        load_checkpoint(folder)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 200


def test_links_pipes_and_devices_are_not_read(tmp_path):
    (tmp_path / "outside.safetensors").write_bytes(GOOD)
    for number, place in enumerate(("link", "pipe", "device")):
        folder = rewritten(tmp_path / f"c{number}", G=GOOD)
        (folder / "G.safetensors").unlink()
        if place == "pipe":
            os.mkfifo(folder / "G.safetensors")
        else:
            (folder / "G.safetensors").symlink_to(
                "/dev/zero" if place == "device" else tmp_path / "outside.safetensors"
            )
        with pytest.raises(ValueError, match=r"G\.safetensors is not a regular file"):
            load_checkpoint(folder)


def test_a_file_of_numbers_without_end_is_not_read(tmp_path):
    folder = rewritten(tmp_path / "c")
    with (folder / "numbers.json").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ValueError, match=r"numbers\.json has more than 64 MB, the limit for such a file"):
        load_checkpoint(folder)


def generator_file(path, **facts):
    """A generator's file that says something else of itself; None leaves a fact out."""
    module = build_generator(RECIPE, (2,))
    content = generator_bytes(TrainedGenerator(RECIPE, module, (2,), 7))
    path.write_bytes(content)
    with safetensors.safe_open(path, framework="pt") as file:
        written = json.loads(file.metadata()["zerosum"])
    written = {name: value for name, value in {**written, **facts}.items() if value is not None}
    path.write_bytes(safetensors.torch.save(safetensors.torch.load(content), {"zerosum": json.dumps(written)}))
    return path


def kind(name, **facts):
    return {"condition": {"kind": name, "facts": facts}}


SCHEMA = {"size": 1, "names": ["a"], "mean": [0.0], "std": [1.0]}
FACTS = {
    "no shape": ({"shape": None}, "its shape should be the shape of a sample"),
    "a word": ({"shape": "23"}, "its shape should be"),
    "two sizes": ({"shape": [2, 2]}, "its shape should be"),
    "a negative size": ({"shape": [-2]}, "its shape should be"),
    "a half": ({"shape": [2.5]}, "its shape should be"),
    "terabytes": ({"shape": [1 << 20, 1 << 20, 1 << 20]}, "its shape should be"),
    "true": ({"shape": [True]}, "its shape should be"),
    "images": ({"images": -1}, "its images should be a count"),
    "images in words": ({"images": "many"}, "its images should be a count"),
    "a list for a condition": (
        {"condition": []},
        "its condition should be the name of its kind and the facts of the kind",
    ),
    "a condition without a kind": ({"condition": {"facts": {}}}, "its condition should be the name of its kind"),
    "a condition without facts": ({"condition": {"kind": "Labels", "facts": 3}}, "its condition should be the name of"),
    "an unknown kind": (kind("Mine"), r"unknown class 'Mine': if it is yours, pass --use FILE\.py \(or known= in Pyth"),
    "a kind that is none": (kind("Hinge"), "its condition should be of a kind of condition; found 'Hinge'"),
    "classes": (kind("Labels", classes={"a": 1}, nullable=False), "Labels has the names of its classes and whether"),
    "numbered classes": (kind("Labels", classes=[1, 2], nullable=False), "Labels has the names of its classes"),
    "no classes": (kind("Labels", classes=[], nullable=False), "Labels has the names of its classes"),
    "a class that may be missing": (kind("Labels", classes=["a"], nullable=1), "Labels has the names of its classes"),
    "more of labels": (kind("Labels", classes=["a"], nullable=False, x=1), "Labels has the names of its classes"),
    "no size": (kind("Vector", names=["a"]), "Vector needs an integer size; found None"),
    "a negative row": (kind("Vector", size=-1), "a condition vector has at least 1 component; found -1"),
    "components without examples": (
        kind("Vector", **SCHEMA),
        "a schema has examples, float64 rows of 1 finite numbers",
    ),
    "components without names": (kind("Vector", **{**SCHEMA, "names": []}), "a schema has distinct names"),
    "components of one name": (kind("Vector", **{**SCHEMA, "names": ["a", "a"]}), "a schema has distinct names"),
    "components without deviation": (kind("Vector", **{**SCHEMA, "std": [0.0]}), "a schema has a mean and a standard"),
    "components of unlike means": (
        kind("Vector", **{**SCHEMA, "mean": [0.0, 1.0]}),
        "a schema has a mean and a standard",
    ),
    "attributes that may be missing": (
        kind("Attributes", size=2),
        "Attributes needs nullable, true or false; found",
    ),
    "attributes of terabytes": (
        {**kind("Attributes", size=10**12, nullable=False), "recipe": repr(replace(RECIPE, conditional=True))},
        "of this recipe",
    ),
    "coding": (
        {"coding": {"autoencoder": {"shape": [1, 8, 8]}}},
        "its coding should be the autoencoder of the latents",
    ),
    "coding by a path": ({"coding": {"open": "/etc/passwd"}}, "its coding should be"),
    "coding without its numbers": ({"coding": {"given": "x"}}, "its coding lacks the mean and std of latents"),
    "an alphabet that is no text": ({"coding": {"text": 3}}, "its coding should be"),
    "an alphabet of escapes": (
        {"coding": {"text": "\x1b"}},
        "a coding of texts has an alphabet of printable characters of Latin-1",
    ),
    "texts without glyphs": ({"coding": {"text": "ab"}}, "a coding of texts has glyphs, uint8 images of its 3 symbols"),
    "no recipe": ({"recipe": None}, "not recipe text"),
    "recipe": ({"recipe": ["R1()"]}, r"expected the text of a Recipe\(\.\.\.\)"),
    "code": ({"recipe": "__import__('os').system('true')"}, "recipe text holds literals and constructors only"),
    "another network": (
        {"recipe": repr(replace(RECIPE, generator=MLPGenerator(hidden=(9,))))},
        r"the weights do not fit the recipe's generator, .*: it does not fit: body\.0\.weight is float32 \(8, 3\)",
    ),
    "a network of terabytes": (
        {"recipe": repr(replace(RECIPE, generator=MLPGenerator(hidden=(10**12,))))},
        "of this recipe",
    ),
}


@pytest.mark.parametrize(("facts", "sentence"), FACTS.values(), ids=FACTS)
def test_a_generator_that_says_something_else_of_itself(tmp_path, facts, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        load(generator_file(tmp_path / "g.safetensors", **facts))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["[" * 100_000, "{", '{"format": 1, "format": 2}', "[]", '"x"'])
def test_metadata_that_are_none(tmp_path, text):
    path = tmp_path / "g.safetensors"
    path.write_bytes(safetensors.torch.save({"w": torch.ones(2)}, {"zerosum": text}))
    with pytest.raises(
        ValueError, match=r"the metadata of .* is (not valid JSON|nested too deep)|is not a zerosum generator"
    ):
        load(path)


@pytest.mark.parametrize("content", HEADERS.values(), ids=HEADERS)
def test_a_generators_file_that_is_none(tmp_path, content):
    path = tmp_path / "g.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is not a valid safetensors file"):
        load(path)


@pytest.mark.parametrize("line", ["[1]", '{"images": "x"}', '{"D/loss": 1}', "3"])
def test_a_line_of_a_log_that_is_none(tmp_path, line):
    (tmp_path / "log.jsonl").write_text(f'{line}\n{{"images": 2}}\n')
    with pytest.raises(ValueError, match=r"line 1 of .* has no count of images"):
        read_log(tmp_path)


def test_a_line_of_a_log_nested_without_end_is_no_line(tmp_path):
    (tmp_path / "log.jsonl").write_text("[" * 100_000 + '\n{"images": 2}\n')
    with pytest.raises(ValueError, match=r"line 1 of .* is not JSON"):
        read_log(tmp_path)


def test_what_a_terminal_is_given_is_printable():
    text = "a\x1b[31mb\x07\u202ec\udcff d\né"
    assert printable(text, kept="\n") == "a\\x1b[31mb\\x07\\u202ec\\udcff d\né"
    assert printable(text) == "a\\x1b[31mb\\x07\\u202ec\\udcff d\\né"
