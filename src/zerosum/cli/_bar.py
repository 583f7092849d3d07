"""A progress bar on standard error for work that counts what it has done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield `progress(done, total)`, shown on a terminal and silent elsewhere."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def telling(what: str) -> Iterator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
    """Yield `say(sentence)` and `progress(done, total)`: lines on standard error, on a terminal above a bar."""
    from rich.console import Console
    from rich.progress import Progress

    from zerosum._text import printable

    console = Console(stderr=True)

    def say(sentence: str) -> None:
        console.print(printable(sentence, kept="\n"), highlight=False, markup=False, soft_wrap=True)

    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield say, lambda done, total: progress.update(task, completed=done, total=total)
