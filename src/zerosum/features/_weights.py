"""Weight files: search, download, verification, reading."""

import hashlib
import http.client
import os
import tempfile
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from zerosum._cache import cache_folder
from zerosum._disk import file_hash
from zerosum._foreign import read_tensors
from zerosum._paths import user_path

Progress = Callable[[int, int], None]  # bytes downloaded, and in total
TIMEOUT = 30.0  # seconds without a response
_CHUNK = 1 << 20


@dataclass(frozen=True)
class PublicFile:
    """A published file.

    Attributes:
        what: description for messages.
        name: of the file.
        url: where it is published.
        sha256: of its bytes.
        size: of it, in bytes.
        aliases: other names of the same file.
    """

    what: str
    name: str
    url: str
    sha256: str
    size: int
    aliases: tuple[str, ...] = ()


def weights_folder() -> Path:
    """The folder of downloaded weights; raises `OSError` if there is no home folder."""
    return cache_folder("weights")


def found_or_fetched(public: PublicFile, progress: Progress | None = None) -> Path:
    """Return a published file: from our cache or that of torch.hub, or downloaded into ours.

    Raises:
        ValueError: if it cannot be found or downloaded, or the file in our cache has another hash.
    """
    kept = weights_folder() / public.name
    if kept.is_file():
        found = file_hash(kept)
        if found != public.sha256:
            raise ValueError(f"{kept} should have the sha256 {public.sha256}; found {found}: delete it")
        return kept
    for name in (public.name, *public.aliases):
        path = Path(torch.hub.get_dir()) / "checkpoints" / name
        if path.is_file() and file_hash(path) == public.sha256:  # not our cache: another file of this name is no error
            return path
    return _fetched(public, kept, progress)


def _fetched(public: PublicFile, path: Path, progress: Progress | None) -> Path:
    """Download a file under a temporary name, verify it, and rename it."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as file:
            temporary = Path(file.name)
            with urllib.request.urlopen(public.url, timeout=TIMEOUT) as answer:
                done, digest = 0, hashlib.sha256()
                while done <= public.size and (chunk := answer.read(_CHUNK)):
                    file.write(chunk)
                    digest.update(chunk)
                    done += len(chunk)
                    if progress is not None:
                        progress(done, public.size)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != public.sha256:
            raise ValueError(f"{public.url} should have the sha256 {public.sha256}; what came ({done:,} bytes) has not")
        temporary.replace(path)
    except (OSError, http.client.HTTPException) as error:
        raise ValueError(
            f"the {public.what} are not in {path.parent} and cannot be fetched ({error}): bring {public.url} there "
            f"from a machine that has the network, or name a file of them"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return path


def state_hash(state: Mapping[str, Tensor]) -> str:
    """The sha256 of tensors: names, data types, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def loaded_weights(
    weights: Path | str | Mapping[str, Tensor] | None, default: Callable[[], Path], public: PublicFile | None = None
) -> tuple[Mapping[str, Tensor], str]:
    """Return tensors by name and their sha256: those given, those of a file, or those of the default file."""
    if isinstance(weights, Mapping):
        return weights, state_hash(weights)
    return read_weights(default() if weights is None else user_path(weights), public)


def read_weights(path: Path, public: PublicFile | None = None) -> tuple[dict[str, Tensor], str]:
    """Return the tensors of a `.safetensors` file, or of one of `torch.save` without unpickling it, and its sha256.

    Raises:
        ValueError: if the file does not exist or contains something else, or has the name of the public file and
            another content.
    """
    if not path.is_file():
        raise ValueError(f"there is no file of weights {path}")
    found = file_hash(path)
    if public is not None and path.name in (public.name, *public.aliases) and found != public.sha256:
        raise ValueError(f"{path} should have the sha256 {public.sha256}, as the public file has; found {found}")
    state = read_tensors(path.resolve())[0] if path.suffix == ".safetensors" else _torch_file(path)
    if not isinstance(state, Mapping) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise ValueError(f"{path} should hold named tensors, a state_dict; found {type(state).__name__}")
    return dict(state), found


def _torch_file(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged or hostile files raise errors of many kinds
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path} cannot be read as tensors alone: {reason}") from error
