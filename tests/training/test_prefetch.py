"""Reading ahead: the same batches, errors at their place, and no thread left behind or waited for in vain."""

import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data.dataset import Dataset, Source
from zerosum.data.sources import folders
from zerosum.data.sources.arrays import ArraySource
from zerosum.data.sources.folders import Images
from zerosum.data.sources.packed import PackedSet
from zerosum.data.sources.packing import pack
from zerosum.game.latents import Normal
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.recipe import Recipe
from zerosum.runs.checkpoint import load_checkpoint, newest_checkpoint
from zerosum.runs.log import read_log
from zerosum.training.batches import Batches
from zerosum.training.prefetch import ReadAhead
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("plotless")
IMAGES = np.random.default_rng(0).integers(0, 256, (37, 16, 16, 3), dtype=np.uint8)
LABELS = np.arange(37) % 3


def threads():
    return [t for t in threading.enumerate() if t is not threading.main_thread()]


@pytest.fixture(autouse=True)
def nothing_is_left_running():
    before = threads()
    yield
    assert [t for t in threads() if t not in before] == []


def test_places_are_read_once_in_order_and_no_further_ahead_than_the_depth():
    read, may = [], threading.Semaphore(0)

    def at(place):
        read.append(place)
        may.release()
        return place * 10

    ahead = ReadAhead(at, step=5, depth=3)
    assert [ahead.take(place) for place in (20, 25, 30)] == [200, 250, 300]
    for _ in range(7):  # three taken, three waiting to be taken, one waiting for room
        assert may.acquire(timeout=30)
    time.sleep(0.3)
    assert read == [20, 25, 30, 35, 40, 45, 50]
    assert ahead.take(100) == 1000, "another place than the next: reading begins there"
    ahead.close()
    ahead.close()
    assert read[-1] >= 100


def test_an_error_is_raised_where_its_place_is_asked_for():
    def at(place):
        if place == 2:
            raise ValueError("two.png is damaged: remove or replace it")
        return place

    ahead = ReadAhead(at, step=1)
    assert [ahead.take(0), ahead.take(1)] == [0, 1]
    for _ in range(2):
        with pytest.raises(ValueError, match=r"two.png is damaged: remove or replace it"):
            ahead.take(2)
    assert ahead.take(3) == 3
    ahead.close()


@pytest.mark.parametrize("kind", [SystemExit, MemoryError, KeyboardInterrupt])
def test_whatever_ends_the_reading_is_raised_and_never_waited_for(kind):
    def at(place):
        raise kind

    with pytest.raises(kind):
        ReadAhead(at, step=1).take(0)


def test_a_thread_that_died_is_an_error_and_not_waited_for(monkeypatch):
    monkeypatch.setattr(ReadAhead, "_work", lambda self, place, stop, found: None)
    with pytest.raises(OSError, match="the thread that reads data ahead has died: run the same command again"):
        ReadAhead(lambda place: place, step=1).take(0)


def test_what_a_dead_thread_left_behind_is_still_taken(monkeypatch):
    monkeypatch.setattr(ReadAhead, "_work", lambda self, place, stop, found: found.put(((7,), None)))
    ahead = ReadAhead(lambda place: place, step=1)
    assert ahead.take(0) == 7
    with pytest.raises(OSError, match="has died"):
        ahead.take(1)


def test_a_program_ends_while_a_read_hangs(forks):
    program = (
        "import time\n"
        "from zerosum.training.prefetch import ReadAhead\n"
        "ahead = ReadAhead(lambda place: time.sleep(1e3 * place) or place, step=1)\n"
        "print(ahead.take(0))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_batches_read_ahead_are_those_read_in_place(dropout):
    data = ArraySource(IMAGES, LABELS).open()
    assert not data.ahead
    streams = [Batches(one, 16, True, 0, torch.device("cpu"), 32, dropout) for one in (data, replace(data, ahead=True))]
    for _ in range(9):
        one, other = map(next, streams)
        assert torch.equal(one.x, other.x) and torch.equal(one.c, other.c)
        assert one.position == other.position and one.x.stride() == other.x.stride()
        assert streams[0].position == streams[1].position, "the position is of what was taken, not of what was read"
    streams[1].close()
    streams[0].position = streams[1].position = 5
    assert torch.equal(next(streams[0]).x, next(streams[1]).x)
    streams[1].close()


def test_what_lies_on_a_disk_is_read_ahead(tmp_path):
    Image.fromarray(IMAGES[0]).save(tmp_path / "a.png")
    assert Images(str(tmp_path)).open().ahead
    assert pack(ArraySource(IMAGES), tmp_path / "out").ahead


RECIPE = Recipe(
    name="pictures",
    data=ArraySource(IMAGES, LABELS),
    generator=DCGANGenerator(size=4),
    discriminator=DCGANDiscriminator(size=4),
    objective=NonSaturating(),
    conditional=True,
    latent=Normal(8),
    batch=8,
    images=96,
    n_critic=2,
    tick=16,
    snapshot=48,
    precision="float32",
)


def final(run):
    path, _, _ = newest_checkpoint(run)
    return load_checkpoint(path).groups


def test_a_run_on_packed_data_ends_bit_for_bit_as_one_on_its_source(tmp_path):
    pack(RECIPE.data, tmp_path / "set")
    plain = final(train(RECIPE, tmp_path / "plain", quiet=True))
    packed = replace(RECIPE, data=PackedSet(str(tmp_path / "set")))
    begun = train(replace(packed, images=48), tmp_path / "packed", quiet=True)
    other = final(train(packed, tmp_path / "straight", quiet=True))
    assert plain.keys() == other.keys()
    assert all(torch.equal(t, other[group][name]) for group in plain for name, t in plain[group].items())
    assert all("wait" in line for line in read_log(begun))


def test_a_run_on_images_of_which_some_are_broken_resumes_bit_for_bit(tmp_path, monkeypatch):
    for i, image in enumerate(IMAGES):
        place = tmp_path / "set" / "abc"[LABELS[i]]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{i:02}.png")
        if i in (5, 6, 20):
            (place / f"{i:02}.png").write_bytes((place / f"{i:02}.png").read_bytes()[:99])
    recipe = replace(RECIPE, data=Images(str(tmp_path / "set"), bad="skip"))
    straight = final(train(recipe, tmp_path / "straight", quiet=True))
    real, calls = folders._Reader.__call__, []

    def dies(self, index):
        calls.append(1)
        if len(calls) == 14:  # after the snapshot in the middle, which nine batches lead to
            raise OSError("the disk is gone")
        return real(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(folders._Reader, "__call__", dies)
        with pytest.raises(OSError, match="the disk is gone"):
            train(recipe, tmp_path / "again", quiet=True)
    again = final(train(recipe, tmp_path / "again", quiet=True))
    assert all(torch.equal(t, again[group][name]) for group in straight for name, t in straight[group].items())


@dataclass(frozen=True)
class Breaking:
    """Pictures of which one, asked for by the third batch, breaks; or whose reader has news."""

    made: Source
    breaks: bool = True

    def open(self):
        data, calls = self.made.open(), []

        def read(index):
            calls.append(1)
            if self.breaks and len(calls) == 4:  # the first reading is for the picture of the start
                raise ValueError("x.png is damaged: remove or replace it")
            return data.read(index)

        def news():
            return ("1 image is broken and was replaced",) if calls else ()

        return Dataset(data.name, data.shape, len(data), read, data.conditions, news=news, ahead=True)


def test_an_image_that_breaks_in_a_run_ends_it_with_its_error(tmp_path):
    with pytest.raises(ValueError, match=r"x.png is damaged: remove or replace it"):
        train(replace(RECIPE, data=Breaking(RECIPE.data)), tmp_path / "run", quiet=True)


def test_messages_of_reading_are_printed_in_a_run(tmp_path, capsys):
    train(replace(RECIPE, data=Breaking(RECIPE.data, breaks=False), images=32), tmp_path / "run")
    assert "1 image is broken and was replaced" in capsys.readouterr().err
