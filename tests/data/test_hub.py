"""The hub: our side of it with a stand-in for `datasets`, and parquet and tar files where that is installed."""

import io
import json
import sys
import tarfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data.fingerprints import fingerprint
from zerosum.data.sources import hub
from zerosum.data.sources.hub import Hub
from zerosum.data.sources.packing import pack
from zerosum.recipes.reader import read
from zerosum.training.batches import Batches

COUNT = 40
IMAGES = np.random.default_rng(0).integers(0, 256, (COUNT, 6, 8, 3), dtype=np.uint8)
LABELS = np.arange(COUNT) % 3
EVERY = torch.arange(COUNT)


def png(image):
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()


class Rows:
    """What `datasets` gives, of so much as is used: columns by name, and rows by index or in their order."""

    def __init__(self, columns, features, stream, log):
        self.columns, self.features, self.stream, self.log = columns, features, stream, log

    def __len__(self):
        assert not self.stream, "a stream does not tell its length"
        return len(next(iter(self.columns.values())))

    def select_columns(self, names):
        kept = {name: self.columns[name] for name in names}
        return Rows(kept, {name: self.features[name] for name in names}, self.stream, self.log)

    def cast_column(self, name, kind):
        assert not kind.decode, "images are decoded here, by our rules"
        return self

    def __getitem__(self, index):
        assert not self.stream
        return {n: [c[i] for i in index] if isinstance(index, list) else c[index] for n, c in self.columns.items()}

    def skip(self, n):
        self.log.append(n)
        return Rows({name: column[n:] for name, column in self.columns.items()}, self.features, True, self.log)

    def __iter__(self):
        for row in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, row, strict=True))


class ImageKind:
    def __init__(self, decode=True):
        self.decode = decode


class ClassKind:
    def __init__(self, names):
        self.names = names


@pytest.fixture
def package(monkeypatch):
    """A package datasets that answers from `columns` and `features`, and tells what was asked of it in `asked`."""
    made = ModuleType("datasets")
    made.Image, made.ClassLabel, made.asked, made.log, made.error = ImageKind, ClassKind, [], [], None
    made.exceptions = SimpleNamespace(DatasetsError=type("DatasetsError", (Exception,), {}))
    made.columns = {"image": [{"bytes": png(x), "path": None} for x in IMAGES], "label": LABELS.tolist()}
    made.features = {"image": ImageKind(), "label": ClassKind(["ant", "b\x1bee", "cat"])}

    def load_dataset(**wanted):
        made.asked.append(wanted)
        if made.error is not None:
            raise made.error
        return Rows(made.columns, made.features, wanted["streaming"], made.log)

    made.load_dataset = load_dataset
    monkeypatch.setitem(sys.modules, "datasets", made)
    return made


@pytest.mark.parametrize("stream", [False, True])
def test_images_and_labels_of_a_set_on_the_hub(package, stream):
    data = Hub("somebody/insects", split="test", revision="abc", stream=stream).open()
    assert package.asked == [
        {"path": "somebody/insects", "name": None, "split": "test", "revision": "abc", "streaming": stream}
    ]
    assert (data.name, data.shape, len(data), data.window) == ("insects", (3, 6, 8), COUNT, 2_048 if stream else None)
    assert data.classes == ("ant", "b\\x1bee", "cat") and data.labels.tolist() == LABELS.tolist() and data.ahead
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(0))
    assert np.array_equal(data.read(order).numpy(), IMAGES[order].transpose(0, 3, 1, 2))
    assert len(fingerprint(data)) == 64
    assert read(repr(Hub("a/b", size=(8, 9)))) == Hub("a/b", size=(8, 9))


def test_a_stream_goes_forward_and_begins_again_for_what_lies_behind(package, monkeypatch):
    monkeypatch.setattr(hub, "WINDOW", 5)
    monkeypatch.setattr(hub, "_INSPECTED", 1)
    data = Hub("a/b", stream=True).open()
    for some in ([0, 3, 1], [5, 4, 2], [9, 6, 5]):
        assert np.array_equal(data.read(torch.tensor(some)).numpy()[:, 0], IMAGES[some][..., 0])
    assert package.log == [], "what was held was read again"
    assert np.array_equal(data.read(torch.tensor([30, 2])).numpy()[:, 0], IMAGES[[30, 2]][..., 0])
    assert np.array_equal(data.read(torch.tensor([39, 38])).numpy()[:, 0], IMAGES[[39, 38]][..., 0])
    assert package.log == [2, 38]
    package.columns["image"] = []
    with pytest.raises(ValueError, match="the stream ended after 1 images, but was longer when it was opened"):
        shorter = hub._Stream(Rows({"image": [{"bytes": b"", "path": None}]}, {}, True, []), "image")
        shorter([0, 1])


def test_a_stream_is_shuffled_in_windows_and_resumes_at_its_place(package, monkeypatch):
    monkeypatch.setattr(hub, "WINDOW", 16)

    def batches(position=0):
        return Batches(Hub("a/b", stream=True).open(), 8, True, 0, torch.device("cpu"), position)

    straight = batches()
    for epoch in range(2):
        parts = [straight.indices(epoch * COUNT + a, epoch * COUNT + b) for a, b in ((0, 16), (16, 32), (32, 40))]
        for start, part in zip((0, 16, 32), parts, strict=True):
            assert part.sort().values.tolist() == list(range(start, start + len(part))) != part.tolist()
    for _ in range(7):
        again, position = batches(straight.position), straight.position
        one, other = next(straight), next(again)
        assert torch.equal(one.x, other.x) and torch.equal(one.c, other.c) and one.position == position
        again.close()
    straight.close()


def test_an_interrupted_packing_of_a_stream_skips_ahead(package, tmp_path, monkeypatch):
    monkeypatch.setattr("zerosum.data.sources.packing._SHARD", 10 * IMAGES[0].nbytes)
    monkeypatch.setattr("zerosum.data.sources.packing._BLOCK", 5)
    monkeypatch.setattr(hub, "_INSPECTED", 1)
    monkeypatch.setattr(hub, "WINDOW", 5)

    def stop(done, of):
        if done == 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(Hub("a/b", stream=True), tmp_path / "out", stop)
    data = pack(Hub("a/b", stream=True), tmp_path / "out")
    assert np.array_equal(data.read(EVERY).numpy(), IMAGES.transpose(0, 3, 1, 2))
    assert data.labels.tolist() == LABELS.tolist()
    assert package.log == [20]


def test_columns_are_found_or_asked_for(package):
    package.columns |= {"other": package.columns["image"], "kind": ["x", "y"] * 20, "cls": list(range(COUNT))}
    package.features |= {"other": ImageKind(), "kind": "Value('string')", "cls": "Value('int64')"}
    with pytest.raises(ValueError, match=r"a/b has 2 image columns in image, label, other, .*: name one"):
        Hub("a/b").open()
    assert Hub("a/b", image="other", label="kind").open().classes == ("x", "y")
    del package.features["label"]
    assert len(Hub("a/b", image="image").open().classes) == COUNT
    for wrong in (Hub("a/b", image="picture"), Hub("a/b", image="image", label="breed")):
        with pytest.raises(ValueError, match=r"a/b has no column '(picture|breed)', but has image, other, kind, cls"):
            wrong.open()
    package.features["cls"] = "Value('float32')"
    plain = Hub("a/b", image="image").open()
    assert plain.labels is None and len(plain) == COUNT == len(Hub("a/b", image="image", stream=True).open())


def test_sizes_and_greys(package, tmp_path):
    assert Hub("a/b", size=4).open().read(EVERY).shape == (COUNT, 3, 4, 4)
    (tmp_path / "other.png").write_bytes(png(IMAGES[0, :, :5]))
    package.columns["image"][9] = {"bytes": None, "path": str(tmp_path / "other.png")}
    with pytest.raises(ValueError, match=r"the images of a/b differ in size, as 6x5 and 6x8: pass a size for all"):
        Hub("a/b").open().read(EVERY)
    package.columns["image"] = [{"bytes": png(x[..., 0]), "path": None} for x in IMAGES]
    assert np.array_equal(Hub("a/b").open().read(EVERY).numpy()[:, 0], IMAGES[..., 0])
    for wrong in ({"size": 0}, {"size": (8, 8, 8)}):
        with pytest.raises(ValueError, match=r"Hub needs size >= 1, or \(H, W\)"):
            Hub("a/b", **wrong)
    with pytest.raises(ValueError, match=r"Hub needs fit to be crop or pad"):
        Hub("a/b", fit="exact")


def test_what_cannot_be_loaded_is_one_sentence(package, monkeypatch):
    package.error = package.exceptions.DatasetsError("no set a/b\nand a long story")
    with pytest.raises(ValueError, match=r"a/b cannot be loaded through datasets: no set a/b$"):
        Hub("a/b").open()
    package.error = ConnectionError()
    with pytest.raises(ValueError, match=r"a/b cannot be loaded through datasets: ConnectionError$"):
        Hub("a/b").open()
    monkeypatch.setattr(hub, "MOST_BYTES", 1 << 20)
    with pytest.raises(ValueError, match="an image is larger than 1 MiB"):
        hub._raw({"bytes": bytes((1 << 20) + 1), "path": None})
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ValueError, match=r"Hub needs the package datasets: pip install 'zerosum\[hub\]'"):
        Hub("a/b").open()


def test_files_are_found_by_folder_name_and_pattern(package, tmp_path):
    for name in ("b.parquet", "a.parquet", "deep/c.parquet", "note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files = [str(tmp_path / name) for name in ("a.parquet", "b.parquet", "deep/c.parquet")]
    for path, found in ((tmp_path, files), (tmp_path / "*.parquet", files[:2]), (tmp_path / "b.parquet", files[1:2])):
        Hub(path).open()
        assert package.asked[-1] == {"path": "parquet", "data_files": found, "split": "train", "streaming": False}
    (tmp_path / "d.tar").touch()
    Hub(str(tmp_path / "*.tar")).open()
    assert package.asked[-1]["path"] == "webdataset"
    with pytest.raises(ValueError, match=r"has both .parquet and .tar files: name one kind, as .*/\*.tar"):
        Hub(str(tmp_path)).open()


@pytest.fixture
def real(tmp_path, monkeypatch):
    """The package itself, with its cache in a folder of the test."""
    package = pytest.importorskip("datasets", reason="pip install 'zerosum[hub]'")
    monkeypatch.setattr(package.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    package.disable_progress_bars()
    return package


def parquet(package, folder):
    columns = {"image": [{"bytes": png(x), "path": None} for x in IMAGES], "label": LABELS.tolist()}
    features = package.Features({"image": package.Image(), "label": package.ClassLabel(names=["ant", "bee", "cat"])})
    folder.mkdir()
    for start in (0, 15):
        stop = 15 if start == 0 else COUNT
        some = {name: column[start:stop] for name, column in columns.items()}
        package.Dataset.from_dict(some, features=features).to_parquet(str(folder / f"{start:03}.parquet"))
    return ("ant", "bee", "cat")


def tar(package, folder):
    folder.mkdir()
    for start, stop in ((0, 15), (15, COUNT)):
        with tarfile.open(folder / f"{start:03}.tar", "w") as archive:
            for i in range(start, stop):
                for suffix, content in (("png", png(IMAGES[i])), ("cls", str(LABELS[i]).encode())):
                    member = tarfile.TarInfo(f"{i:04}.{suffix}")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
    return ("0", "1", "2")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("write", [parquet, tar])
def test_parquet_and_tar_files_open_pack_and_resume(real, tmp_path, write, stream):
    classes = write(real, tmp_path / "files")
    made = Hub(str(tmp_path / "files"), stream=stream)
    data = made.open()
    assert (data.classes, data.labels.tolist(), data.shape) == (classes, LABELS.tolist(), (3, 6, 8))
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(0))
    assert np.array_equal(data.read(order).numpy(), IMAGES[order].transpose(0, 3, 1, 2))
    assert np.array_equal(pack(made, tmp_path / "out").read(EVERY).numpy(), IMAGES.transpose(0, 3, 1, 2))
    straight, later = (Batches(made.open(), 8, True, 0, torch.device("cpu"), at) for at in (0, 24))
    batches = [next(straight) for _ in range(4)]
    assert torch.equal(batches[3].x, next(later).x)
    straight.close(), later.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_files_that_are_none_are_one_sentence(real, tmp_path):
    Path(tmp_path / "a.parquet").write_text(json.dumps({}))
    for stream in (False, True):
        with pytest.raises(ValueError, match=r"a.parquet cannot be loaded through datasets: "):
            Hub(str(tmp_path / "a.parquet"), stream=stream).open()
