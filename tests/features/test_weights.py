"""Weight files: where they are looked for, how they are fetched, what is refused."""

import hashlib
import http.server
import os
import threading
from pathlib import Path

import pytest
import safetensors.torch
import torch

from zerosum.features import _weights, inception
from zerosum.features._weights import PublicFile, found_or_fetched, read_weights, state_hash, weights_folder
from zerosum.features.extractor import extractor_named
from zerosum.features.inception import WEIGHTS, Inception

CONTENT = bytes(range(256)) * 9000  # more than is read at a time
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def homes(tmp_path, monkeypatch):
    """Cache folders of their own, and no network beyond this machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path


@pytest.fixture
def server():
    """A server on this machine that answers by path; `served` counts its answers."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.served += 1
            if self.path == "/missing":
                self.send_error(404, "no such file")
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            if self.path == "/stalled":
                self.wfile.write(CONTENT[:1000])
                self.wfile.flush()
                self.server.released.wait(20)
                return
            self.wfile.write({"/half": CONTENT[:1000], "/other": bytes(len(CONTENT))}.get(self.path, CONTENT))

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        made.served, made.released = 0, threading.Event()
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.released.set()
        made.shutdown()
        thread.join()


def public(server, path="/weights", size=None):
    return PublicFile(
        "weights",
        "weights.pth",
        f"http://127.0.0.1:{server.server_port}{path}",
        SHA256,
        size or len(CONTENT),
        ("w.pth",),
    )


def test_a_file_is_fetched_once_whole_and_under_its_name(server):
    calls = []
    path = found_or_fetched(public(server), lambda done, total: calls.append((done, total)))
    assert path == weights_folder() / "weights.pth" and path.read_bytes() == CONTENT
    assert len(calls) > 1 and calls == sorted(calls) and calls[-1] == (len(CONTENT), len(CONTENT))
    assert found_or_fetched(public(server)) == path and server.served == 1
    assert [file.name for file in path.parent.iterdir()] == ["weights.pth"]


@pytest.mark.parametrize(
    ("path", "size", "message"),
    [
        ("/missing", len(CONTENT), r"cannot be fetched \(HTTP Error 404: no such file\): bring http.*/missing there"),
        ("/half", len(CONTENT), r"what came \(1,000 bytes\) has not|cannot be fetched \(IncompleteRead"),
        ("/other", len(CONTENT), rf"should have the sha256 {SHA256}; what came \(2,304,000 bytes\) has not"),
        ("/weights", 1000, r"should have the sha256 .*; what came \(1,048,576 bytes\) has not"),
        ("/stalled", len(CONTENT), r"cannot be fetched \(.*timed out\)"),
    ],
)
def test_what_cannot_be_fetched_leaves_nothing_behind(server, monkeypatch, path, size, message):
    monkeypatch.setattr(_weights, "TIMEOUT", 0.3)
    with pytest.raises(ValueError, match=message):
        found_or_fetched(public(server, path, size))
    assert [*weights_folder().iterdir()] == []


def test_without_a_network_the_way_to_bring_the_file_is_told(monkeypatch):
    def refused(*_, **__):
        raise OSError("Name or service not known")

    monkeypatch.setattr(_weights.urllib.request, "urlopen", refused)
    message = (
        r"the Inception weights are not in .*zerosum/weights and cannot be fetched \(Name or service not known\): "
        r"bring https://github.com/toshas/torch-fidelity/.*6726825d.pth there from a machine that has the network, "
        r"or name a file of them"
    )
    with pytest.raises(ValueError, match=message):
        Inception()
    with pytest.raises(ValueError, match=message):
        extractor_named("inception")


def test_a_file_in_the_cache_of_another_content_is_told_of(server):
    path = weights_folder() / "weights.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a file")
    with pytest.raises(ValueError, match=rf"weights.pth should have the sha256 {SHA256}; found .*: delete it"):
        found_or_fetched(public(server))
    assert server.served == 0


@pytest.mark.parametrize("name", ["weights.pth", "w.pth"])
def test_the_cache_of_torch_hub_serves_as_well_if_the_content_is_right(server, homes, name):
    path = homes / "hub" / "checkpoints" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert found_or_fetched(public(server)) == path and server.served == 0
    path.write_bytes(b"half a file")
    assert found_or_fetched(public(server)) == weights_folder() / "weights.pth"


def test_the_public_file_is_pinned_by_its_whole_hash():
    assert len(WEIGHTS.sha256) == 64 and WEIGHTS.url.endswith(WEIGHTS.name)
    assert all(f"-{WEIGHTS.sha256[:8]}." in name for name in (WEIGHTS.name, *WEIGHTS.aliases))
    assert weights_folder().parts[-3:] == ("cache", "zerosum", "weights")


def test_the_cache_folder_without_the_variable(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert weights_folder() == tmp_path / ".cache" / "zerosum" / "weights"


def test_inception_takes_the_public_file_from_the_cache(monkeypatch, made_up_inception):
    path = weights_folder() / WEIGHTS.name
    path.parent.mkdir(parents=True)
    torch.save(made_up_inception, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(ValueError, match=f"should have the sha256 {WEIGHTS.sha256}, as the public file has; found"):
        Inception(path)
    monkeypatch.setattr(inception, "WEIGHTS", PublicFile("Inception weights", path.name, "http://", digest, 0))
    assert Inception().facts["weights"] == Inception(path).facts["weights"] == digest


@pytest.mark.parametrize("name", ["own.pth", "own.safetensors"])
def test_inception_takes_a_file_of_ones_own(tmp_path, made_up_inception, inception, name):
    path = tmp_path / name
    if path.suffix == ".pth":
        torch.save(made_up_inception, path)
    else:
        safetensors.torch.save_file(made_up_inception, path)
    found = extractor_named(f"inception:{path}")
    images = torch.full((1, 3, 3, 1), 200, dtype=torch.uint8)
    assert torch.equal(found(images).features, inception(images).features)
    assert found.facts["weights"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.facts["dtype"] == "float32"


class Hostile:
    def __reduce__(self):
        return os.system, ("true",)


def test_files_of_something_else_are_refused(tmp_path):
    path = tmp_path / "weights.pth"
    with pytest.raises(ValueError, match=r"there is no file of weights .*weights.pth"):
        Inception(path)
    path.write_bytes(b"no tensors at all")
    with pytest.raises(ValueError, match=r"weights.pth cannot be read as tensors alone: "):
        Inception(path)
    torch.save({"conv.weight": Hostile()}, path)
    with pytest.raises(ValueError, match=r"weights.pth cannot be read as tensors alone: Weights only load failed"):
        Inception(path)
    torch.save([torch.zeros(1)], path)
    with pytest.raises(ValueError, match="should hold named tensors, a state_dict; found list"):
        Inception(path)
    broken = tmp_path / "weights.safetensors"
    broken.write_bytes(b"short")
    with pytest.raises(ValueError, match=r"weights.safetensors is not a valid safetensors file: "):
        read_weights(broken)


def test_the_hash_of_tensors_sees_names_formats_shapes_and_values():
    state = {"a": torch.arange(6.0), "b": torch.tensor(1)}
    others = [
        {"a": torch.arange(6.0), "c": torch.tensor(1)},
        {"a": torch.arange(6.0).view(2, 3), "b": torch.tensor(1)},
        {"a": torch.arange(6.0).view(torch.int32), "b": torch.tensor(1)},
        {"a": torch.arange(6.0).neg(), "b": torch.tensor(1)},
    ]
    assert len({state_hash(some) for some in (state, *others)}) == 5
    assert state_hash({"b": state["b"], "a": torch.arange(12.0)[::2] / 2}) == state_hash(state)
    assert state_hash({"a": torch.zeros(2, dtype=torch.bfloat16)}) != state_hash({"a": torch.zeros(2)})
