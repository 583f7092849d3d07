"""Several processes of one run, started by `torchrun`: joining, broadcasting, leaving."""

__all__ = ["RankLostError"]

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import safetensors.torch
import torch
import torch.distributed as dist
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from zerosum._arrays import separated
from zerosum.game.device import choose_device
from zerosum.game.distributed import rank, ranks
from zerosum.runs.checkpoint import Checkpoint

STEP = timedelta(minutes=10)  # timeout for the other ranks within an iteration, slow data included
WORK = timedelta(days=1)  # timeout while rank 0 works alone: a checkpoint, an evaluation, the report
_LOST = (
    "another process of this run exited or does not respond, so this one stops too; "
    "the same command resumes from the last checkpoint"
)


_MISSING = "{} in the environment of several processes is what torchrun sets; found {}: start them with torchrun"


class RankLostError(ConnectionError):
    """A process of the run exited, or did not respond in time."""


@dataclass(frozen=True, eq=False)
class RankGroup:
    """The processes of a run; a single process is a group of one.

    Attributes:
        device: device of this process.
        gloo: the gloo process group; None for a single process.
    """

    device: torch.device
    gloo: dist.ProcessGroup | None = None

    def on_first_rank(self, work: Callable[[], None]) -> None:
        """Run a function on rank 0 (everything that writes files), while the others wait for it."""
        if rank() == 0:
            work()
        if self.gloo is not None:
            dist.barrier(group=self.gloo)

    def maximum(self, number: int) -> int:
        """The maximum of a number over the ranks: a signal at one of them stops all in the same iteration."""
        if self.gloo is None:
            return number
        largest = torch.tensor(number)
        dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest)

    def broadcast_checkpoint(self, checkpoint: Checkpoint | None) -> Checkpoint | None:
        """Rank 0's checkpoint, or None, on every rank: only rank 0 needs access to the run folder."""
        if self.gloo is None:
            return checkpoint
        groups = {} if checkpoint is None else checkpoint.groups
        flat = {f"{key} {name}": tensor for key, group in groups.items() for name, tensor in group.items()}
        numbers = self._broadcast(json.dumps(None if checkpoint is None else dict(checkpoint.numbers)).encode())
        tensors = safetensors.torch.load(self._broadcast(safetensors.torch.save(separated(flat))))
        found: dict[str, dict[str, torch.Tensor]] = {}
        for key, tensor in tensors.items():
            group, _, name = key.partition(" ")
            found.setdefault(group, {})[name] = tensor
        received = json.loads(numbers)
        return None if received is None else Checkpoint(found, received)

    def broadcast_facts(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Rank 0's facts, of JSON types, on every rank."""
        if self.gloo is None:
            return facts
        return dict(json.loads(self._broadcast(json.dumps(facts).encode())))

    def gathered(self, facts: dict[str, Any]) -> list[dict[str, Any]]:
        """The facts of each rank, of JSON types, on every rank."""
        if self.gloo is None:
            return [facts]
        content = json.dumps(facts).encode()
        return [dict(json.loads(self._broadcast(content, source))) for source in range(ranks())]

    def _broadcast(self, content: bytes, source: int = 0) -> bytes:
        """The bytes of one rank on every rank."""
        length = torch.tensor(len(content))
        dist.broadcast(length, source, group=self.gloo)
        sent = torch.zeros(int(length), dtype=torch.uint8)
        if rank() == source:
            sent.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        dist.broadcast(sent, source, group=self.gloo)
        return sent.numpy().tobytes()


def _from_environment(name: str, default: int | None = None) -> int:
    """A number that torchrun sets; raises `ValueError` where there is none, nor a default."""
    found = os.environ.get(name, "" if default is None else str(default))
    if not (found.isascii() and found.isdecimal()):
        raise ValueError(_MISSING.format(name, f"{found!a:.40}" if found else "nothing"))
    return int(found)


def is_distributed() -> bool:
    """Whether torchrun started this process as one of several."""
    return "LOCAL_RANK" in os.environ and _from_environment("WORLD_SIZE", 1) > 1


def is_main_process() -> bool:
    """Whether this process prints: rank 0 of those that torchrun started, or the only one."""
    return _from_environment("RANK", 0) == 0


@contextmanager
def report_once() -> Iterator[None]:
    """Report errors that occur before processes join once per machine, by its first process.

    An error may occur on one machine only, as a missing file, and processes cannot communicate yet.
    """
    try:
        yield
    except ValueError as error:
        if _from_environment("LOCAL_RANK", 0) > 0:
            raise SystemExit(1) from error
        raise


@contextmanager
def joined(name: str) -> Iterator[RankGroup]:
    """Join the processes that torchrun started, on a device by its name, and leave them at the end.

    The processes of one machine use one GPU each, by `LOCAL_RANK`, and communicate through NCCL; on CPUs through gloo.
    Without torchrun there is one process. An existing process group is used and not destroyed.

    An error that ends the run is raised by the rank where it occurs first; on the others it becomes a `SystemExit`.

    Raises:
        ValueError: where the device does not exist.
        RankLostError: where another process exited or did not respond within `STEP`.
    """
    if ranks() > 1:
        yield RankGroup(choose_device(name), dist.new_group(timeout=WORK, backend="gloo"))
        return
    if not is_distributed():
        yield RankGroup(choose_device(name))
        return
    count, number = _from_environment("WORLD_SIZE"), _from_environment("RANK")
    if number >= count:
        raise ValueError(f"RANK is the number of this process, below WORLD_SIZE={count}; found {number}: use torchrun")
    store = _rendezvous_store(count)
    try:
        device = _own_device(name)
        backend, gpu = ("cpu:gloo,cuda:nccl", device) if device.type == "cuda" else ("gloo", None)
        dist.init_process_group(backend, timeout=STEP, world_size=count, rank=number, store=store, device_id=gpu)
        group = RankGroup(device, dist.new_group(timeout=WORK, backend="gloo"))
        yield group
        group.on_first_rank(lambda: None)
    except Exception as error:
        if not _is_first_report(store):
            raise SystemExit(1) from error
        if _is_group_error(error):
            raise RankLostError(_LOST) from error
        raise
    except BaseException:
        _is_first_report(store)  # a signal stops this rank; errors of the others that follow are not reported
        raise
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _own_device(name: str) -> torch.device:
    """The device of this process, by the device name of the run."""
    device = choose_device(name)
    if device.type == "mps":
        raise ValueError("several processes compute on cpu or cuda: give --device cpu")
    if device.type == "cuda":
        if device.index is not None:
            raise ValueError(f"each process has a GPU of its own: give --device cuda and not {name}")
        local, there = _from_environment("LOCAL_RANK"), torch.cuda.device_count()
        if local >= there:
            raise ValueError(f"each process needs a GPU of its own and {there} are here: --nproc-per-node {there}")
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    return device


def _rendezvous_store(count: int) -> Store:
    """The rendezvous store of the processes; torchrun owns it, so it outlives any of them."""
    _from_environment("MASTER_PORT")
    if not os.environ.get("MASTER_ADDR"):
        raise ValueError(_MISSING.format("MASTER_ADDR", "nothing"))
    number = _from_environment("RANK")
    store, _, _ = next(iter(rendezvous("env://", rank=number, world_size=count, timeout=STEP)))
    return PrefixStore("zerosum", store)


def _is_group_error(error: Exception) -> bool:
    """Whether an error comes from communication: torch raises RuntimeErrors that name gloo or NCCL."""
    message = str(error).lower()
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and any(word in message for word in ("gloo", "nccl", "connection"))
    )


def _is_first_report(store: Store) -> bool:
    """Whether no other rank has reported an error yet; True where the store does not respond."""
    try:
        return bool(store.add("reported", 1) == 1)
    except RuntimeError:
        return True
