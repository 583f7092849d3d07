"""Progress bars and messages on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield `progress(done, total)`, a progress bar on a terminal, silent elsewhere."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def messages_and_bar(what: str) -> Iterator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
    """Yield `say(sentence)`, which prints to standard error, and `progress(done, total)`, a bar on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    from zerosum._text import printable

    console = Console(stderr=True)

    def say(sentence: str) -> None:
        console.print(printable(sentence, kept="\n"), highlight=False, markup=False, soft_wrap=True)

    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield say, lambda done, total: progress.update(task, completed=done, total=total)
