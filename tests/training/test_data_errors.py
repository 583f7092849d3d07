"""Files that are found broken in mid-run: the run is saved, and goes on once they are repaired or skipped."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.robustness.sameness import differences
from PIL import Image

from zerosum.data.dataset import Dataset
from zerosum.data.fingerprints import fingerprint
from zerosum.data.pairs.captions import Captioned
from zerosum.data.pairs.clips import Clips
from zerosum.data.pairs.edges import Drawings
from zerosum.data.pairs.grayscale import Grayscale
from zerosum.data.pairs.paired_folders import PairedFolders
from zerosum.data.pairs.side_by_side import SideBySide
from zerosum.data.sources.folders import Images
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.recipe import Recipe
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.training.batches import Batches
from zerosum.training.same_data import UnreadFiles, same_data
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("plotless")
RECIPE = Recipe(
    name="photos",
    generator=MLPGenerator(hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=NonSaturating(),
    latent=Normal(4),
    batch=8,
    images=64,
    precision="float32",
    tick=32,
    snapshot=64,
)


def unread(run):
    """The files that a run has never read whole."""
    return json.loads((run / "unread.json").read_text())["files"]


@pytest.fixture
def photos(tmp_path):
    """A folder of 40 images, and its recipe."""
    folder, draw = tmp_path / "photos", np.random.default_rng(0)
    folder.mkdir()
    for number in range(40):
        Image.fromarray(draw.integers(0, 256, (8, 8, 3), np.uint8)).save(folder / f"{number:02d}.png")
    return folder, replace(RECIPE, data=Images(str(folder)))


@pytest.fixture
def broken(photos, tmp_path):
    """A run that has ended on a broken image in its third step: the image, its bytes, the recipe and the run."""
    folder, recipe = photos
    order = Batches(recipe.data.open(), recipe.batch, False, recipe.seed, torch.device("cpu"))
    file = folder / f"{int(order.indices(39, 40)):02d}.png"  # a step takes 16 images
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=rf"{file.name} .*: replace it by one of the same name, .*bad='skip'"):
        train(recipe, tmp_path / "run", quiet=True)
    return file, whole, recipe, tmp_path / "run"


def test_the_run_is_saved_and_goes_on_with_the_repaired_file(broken, tmp_path, capsys):
    file, whole, recipe, run = broken
    assert newest_checkpoint(run)[1].numbers["images"] == 16 and unread(run) == [file.name]
    with pytest.raises(ValueError, match=file.name):
        train(recipe, run)
    assert "16 images are saved, and the same command resumes the run" in capsys.readouterr().err
    file.write_bytes(whole)
    train(recipe, run, quiet=True)
    assert differences(train(recipe, tmp_path / "straight", quiet=True), run) == []
    assert not (run / "unread.json").exists()


def test_another_image_under_the_same_name_will_do(broken, photos):
    file, _, recipe, run = broken
    file.write_bytes(next(one for one in sorted(photos[0].iterdir()) if one != file).read_bytes())
    train(recipe, run, quiet=True)
    assert newest_checkpoint(run)[1].numbers["images"] == 64


def test_the_run_goes_on_without_the_broken_file(broken, tmp_path):
    file, _, recipe, run = broken
    skipping = replace(recipe, data=replace(recipe.data, bad="skip"))
    train(skipping, run, quiet=True)
    assert differences(train(skipping, tmp_path / "straight", quiet=True), run) == []
    assert "bad='skip'" in (run / "recipe.txt").read_text()
    assert unread(run) == [file.name]


def test_a_skipped_file_may_be_repaired_before_the_run_goes_on(broken):
    file, whole, recipe, run = broken
    train(replace(recipe, data=replace(recipe.data, bad="skip"), images=64), run, quiet=True)
    (run / "generator.safetensors").unlink()  # something is left to do
    file.write_bytes(whole)
    train(recipe, run, quiet=True)
    assert (run / "generator.safetensors").is_file() and "bad='error'" in (run / "recipe.txt").read_text()


@pytest.mark.parametrize("change", ["another file", "removed"])
def test_other_changes_are_refused(broken, change):
    file, whole, recipe, run = broken
    if change == "removed":
        file.unlink()
    else:
        file.write_bytes(whole)
        next(one for one in file.parent.iterdir() if one != file).write_bytes(whole)
    sentence = rf"was trained on before: .*\(a broken file, as '{file.name}', may be replaced by another of its name\)"
    with pytest.raises(ValueError, match=sentence):
        train(recipe, run, quiet=True)


def test_a_broken_image_of_the_first_step_may_be_repaired_too(photos, tmp_path):
    """Nothing is learned then, and the checkpoint before the first step is there already."""
    folder, recipe = photos
    for file in folder.iterdir():
        whole, name = file.read_bytes(), file.name
        if name == "00.png":
            continue
        file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="replace it by one of the same name"):
        train(recipe, tmp_path / "run", quiet=True)
    met = unread(tmp_path / "run")
    assert newest_checkpoint(tmp_path / "run")[1].numbers["images"] == 0 and met
    for name in met:
        (folder / name).write_bytes((folder / "00.png").read_bytes())
    with pytest.raises(ValueError, match="replace it by one of the same name"):
        train(recipe, tmp_path / "run", quiet=True)
    assert not {*met} & {*unread(tmp_path / "run")}


def test_a_file_that_a_former_start_has_read_must_stay_as_it_was(tmp_path):
    dataset = Dataset("photos", (3, 8, 8), 9, torch.zeros, content=str, content_without=str)
    UnreadFiles(tmp_path, dataset, torch.tensor([2, 5])).note([{"a.png": (5,)}, {}])
    assert not (tmp_path / "unread.json").exists()
    UnreadFiles(tmp_path, dataset, torch.tensor([2, 5])).note([{"a.png": (5, 7)}, {"b.png": (3, 4)}])
    assert unread(tmp_path) == ["b.png"]
    UnreadFiles(tmp_path, dataset, torch.arange(9)).note([{"a.png": (5,)}])
    assert unread(tmp_path) == ["b.png"]


SOURCES = {
    "flipped": lambda folder: Images(folder, flip=True),
    "grey": lambda folder: Grayscale(Images(folder)),
    "drawings": lambda folder: Drawings(Images(folder)),
    "paired": lambda folder: PairedFolders(f"{folder}-a", folder),
    "conditions": lambda folder: PairedFolders(folder, f"{folder}-a"),
    "sides": SideBySide,
    "captions": Captioned,
    "clips": lambda folder: Clips(folder, past=1, part="all"),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_file_that_was_never_read_may_be_replaced_in_every_source(photos, tmp_path, source):
    folder = photos[0]
    for file in folder.iterdir():
        file.with_suffix(".txt").write_text("a caption\n")
    shutil.copytree(folder, f"{folder}-a")
    dataset = source(str(folder)).open()
    names = [dataset.named(n) for n in range(len(dataset))]
    file = folder / (names[2] if names[2].endswith(".png") else "06.png")  # others are read as the set is opened
    first = names.index(file.name) if file.name in names else 5
    whole, before = file.read_bytes(), fingerprint(dataset)
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="replace it by one of the same name"):
        dataset.encoded_conditions(torch.tensor([first]), dataset.read(torch.tensor([first])))
    indices = [*dataset.broken()[file.name]]
    assert first in indices and {*indices} <= {n for n, name in enumerate(names) if name in (file.name, ".")}
    UnreadFiles(tmp_path, dataset, torch.tensor(indices[-1:])).note([dataset.broken()])
    assert not (tmp_path / "unread.json").exists()
    UnreadFiles(tmp_path, dataset, torch.tensor([*{*range(len(names))} - {*indices}])).note([dataset.broken()])
    other = next(one for one in sorted(folder.glob("*.png")) if one != file)
    file.write_bytes(other.read_bytes())
    repaired = source(str(folder)).open()
    assert same_data(tmp_path, before, repaired) == fingerprint(repaired) != before
    other.write_bytes(whole)
    with pytest.raises(ValueError, match=rf"'{file.name}', may be replaced by another of its name"):
        same_data(tmp_path, before, source(str(folder)).open())
