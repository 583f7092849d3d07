"""Processes that measure alternately: one computes while the others wait."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.places import ROOT

THREADS = 2


@dataclass(frozen=True)
class Player:
    """A process that answers each line of its input with a line of JSON."""

    process: "subprocess.Popen[str]"

    def ask(self, word: str) -> dict[str, Any]:
        """Send a word and return the answer; raises `ValueError` if the process has ended."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(word + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise ValueError(f"a process ended with {self.process.wait()} when it was asked for {word!r}")
        return dict(json.loads(answer))


@contextmanager
def player(words: Sequence[str], threads: int = THREADS) -> Iterator[Player]:
    """Run a command with `threads` threads in the root of the repository, until the context ends."""
    counts = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **counts}, cwd=ROOT
    ) as process:
        try:
            yield Player(process)
        finally:
            process.kill()
