"""Commands in parallel processes, with their processor time."""

__all__ = ()

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zerosum.training.signals import StopRequest, stopped_by

_POLL = 0.2  # seconds between polls of the processes


@dataclass(frozen=True)
class Command:
    """A command line, and the file to which its standard error is appended."""

    arguments: tuple[str, ...]
    log: Path


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: exit status; minus the signal's number where one killed it.
        seconds: wall-clock time.
        cpu_seconds: processor time, including that of its children.
        stopped: whether it ended after a request to stop.
    """

    code: int
    seconds: float
    cpu_seconds: float
    stopped: bool


@dataclass(eq=False)
class _Child:
    number: int
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.perf_counter)

    def ended(self, stopped: bool) -> Ended | None:
        """How it ended, or None while it runs; only `wait4` returns its processor time."""
        pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
        if not pid:
            return None
        self.process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - self.started
        return Ended(self.process.returncode, seconds, usage.ru_utime + usage.ru_stime, stopped)


def run_commands(
    commands: Sequence[Command], jobs: int, threads: int, look: Callable[[], None] = lambda: None
) -> Iterator[tuple[int, Ended]]:
    """Run commands, `jobs` at a time with `threads` threads each; yields the index of each that ends, and how.

    SIGINT, SIGTERM and SIGHUP are forwarded to the active commands, which are waited for and yielded; then
    `Interrupted` or `Terminated` is raised. `look` is called while waiting.
    """
    if jobs < 1 or threads < 1:
        raise ValueError(f"jobs and threads must be at least 1; found jobs={jobs} and threads={threads}")
    running: list[_Child] = []
    waiting = list(enumerate(commands))
    try:
        with StopRequest() as stop:
            forwarded = False
            while running or (waiting and not stop.number):
                while waiting and len(running) < jobs and not stop.number:
                    running.append(_start(*waiting.pop(0), threads))
                if stop.number and not forwarded:
                    forwarded = True
                    _signal(running, stop.number)
                for child in list(running):
                    ended = child.ended(bool(stop.number))
                    if ended is not None:
                        running.remove(child)
                        yield child.number, ended
                look()
                time.sleep(_POLL)
        if stop.number:
            raise stopped_by(stop.number)
    finally:  # the caller has stopped iterating: let active commands save and end
        _signal(running, signal.SIGTERM)
        for child in running:
            child.process.wait()


def _signal(children: Sequence[_Child], number: int) -> None:
    for child in children:
        child.process.send_signal(number)


def _start(number: int, command: Command, threads: int) -> _Child:
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    command.log.parent.mkdir(parents=True, exist_ok=True)
    with command.log.open("ab") as log:
        # Its own group: otherwise Ctrl-C would reach it too, and a second signal ends a run without saving.
        process = subprocess.Popen(
            command.arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    return _Child(number, process)
