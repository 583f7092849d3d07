"""Several processes that play one run together, as `torchrun` starts them: joining, agreeing, leaving."""

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

from zerosum.game.device import choose_device
from zerosum.game.distributed import rank, ranks
from zerosum.runs.checkpoint import Checkpoint

STEP = timedelta(minutes=10)  # how long a rank waits for the others within a round, slow data included
WORK = timedelta(days=1)  # how long it waits while rank 0 works alone: a checkpoint, an evaluation, the report
_LOST = (
    "another process of this run is gone or does not answer, so this one stops too; "
    "the same command continues from the last checkpoint"
)


class RankLostError(ConnectionError):
    """A process of the run is gone, or has not answered in time."""


@dataclass(frozen=True, eq=False)
class RankGroup:
    """The processes of a run, as one of them sees them; one alone is in its own company and waits for nobody.

    Attributes:
        device: where this process computes.
        waiting: the group in which the others wait for rank 0; None for one process alone.
    """

    device: torch.device
    gloo: dist.ProcessGroup | None = None

    def on_first_rank(self, work: Callable[[], None]) -> None:
        """Have rank 0 do some work, whatever writes files, while the others wait for it."""
        if rank() == 0:
            work()
        if self.gloo is not None:
            dist.barrier(group=self.gloo)

    def maximum(self, number: int) -> int:
        """The largest of a number over the ranks: a signal that has reached one of them stops all in the same round."""
        if self.gloo is None:
            return number
        largest = torch.tensor(number)
        dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest)

    def broadcast_checkpoint(self, checkpoint: Checkpoint | None) -> Checkpoint | None:
        """Rank 0's checkpoint, or None, on every rank: only rank 0 need see the run folder."""
        if self.gloo is None:
            return checkpoint
        groups = {} if checkpoint is None else checkpoint.groups
        flat = {f"{key} {name}": t.cpu().contiguous() for key, ts in groups.items() for name, t in ts.items()}
        numbers = self._broadcast(json.dumps(None if checkpoint is None else dict(checkpoint.numbers)).encode())
        tensors = safetensors.torch.load(self._broadcast(safetensors.torch.save(flat)))
        found: dict[str, dict[str, torch.Tensor]] = {}
        for key, tensor in tensors.items():
            group, _, name = key.partition(" ")
            found.setdefault(group, {})[name] = tensor
        received = json.loads(numbers)
        return None if received is None else Checkpoint(found, received)

    def broadcast_facts(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Rank 0's facts, such as JSON can carry, on every rank."""
        if self.gloo is None:
            return facts
        return dict(json.loads(self._broadcast(json.dumps(facts).encode())))

    def _broadcast(self, content: bytes) -> bytes:
        """Rank 0's bytes on every rank."""
        length = torch.tensor(len(content))
        dist.broadcast(length, 0, group=self.gloo)
        sent = torch.zeros(int(length), dtype=torch.uint8)
        if rank() == 0:
            sent.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        dist.broadcast(sent, 0, group=self.gloo)
        return sent.numpy().tobytes()


def is_distributed() -> bool:
    """Whether torchrun has started this process as one of several."""
    return "LOCAL_RANK" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_main_process() -> bool:
    """Whether this process is the one that talks and prints: rank 0 of those that torchrun started, or the only one."""
    return int(os.environ.get("RANK", "0")) == 0


@contextmanager
def report_once() -> Iterator[None]:
    """Tell an error once a machine that its processes meet before they join, as one in the command: the first tells.

    It may be that one machine alone meets it, as where a file is not there too, and nothing has been exchanged yet.
    """
    try:
        yield
    except ValueError as error:
        if int(os.environ.get("LOCAL_RANK", "0")) > 0:
            raise SystemExit(1) from error
        raise


@contextmanager
def joined(name: str) -> Iterator[RankGroup]:
    """Join the processes that torchrun has started beside this one, on a device by its name, and leave them at the end.

    The processes of one machine take a GPU each, by `LOCAL_RANK`, and speak through NCCL; on processors through gloo.
    Without torchrun there is nothing to join. A group that the program has made itself is used and left as it is.

    Of an error that ends the run, whether met by all ranks or by one of them, the first to meet it tells; on the others
    it becomes a `SystemExit`.

    Raises:
        ValueError: where the device is not there.
        RankLostError: where another process is gone or has not answered in `STEP`.
    """
    if ranks() > 1:
        yield RankGroup(choose_device(name), dist.new_group(timeout=WORK, backend="gloo"))
        return
    if not is_distributed():
        yield RankGroup(choose_device(name))
        return
    count = int(os.environ["WORLD_SIZE"])
    store = _rendezvous_store(count)
    try:
        device = _own_device(name)
        backend, gpu = ("cpu:gloo,cuda:nccl", device) if device.type == "cuda" else ("gloo", None)
        number = int(os.environ["RANK"])
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
        _is_first_report(store)  # a signal ends this rank, and what then befalls the others is no news
        raise
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _own_device(name: str) -> torch.device:
    """The device of this process by the name that all were given."""
    device = choose_device(name)
    if device.type == "mps":
        raise ValueError("several processes compute on cpu or cuda: give --device cpu")
    if device.type == "cuda":
        if device.index is not None:
            raise ValueError(f"each process has a GPU of its own: give --device cuda and not {name}")
        local, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= there:
            raise ValueError(f"each process needs a GPU of its own and {there} are here: --nproc-per-node {there}")
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    return device


def _rendezvous_store(count: int) -> Store:
    """The store through which the processes find each other; torchrun keeps it, so that it outlives any of them."""
    store, _, _ = next(iter(rendezvous("env://", rank=int(os.environ["RANK"]), world_size=count, timeout=STEP)))
    return PrefixStore("zerosum", store)


def _is_group_error(error: Exception) -> bool:
    """Whether an error is one of the group: torch raises plain ones that name gloo or NCCL."""
    message = str(error).lower()
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and any(word in message for word in ("gloo", "nccl", "connection"))
    )


def _is_first_report(store: Store) -> bool:
    """Whether no other rank has told of an error yet; without an answer from the store, this one does."""
    try:
        return bool(store.add("told", 1) == 1)
    except RuntimeError:
        return True
