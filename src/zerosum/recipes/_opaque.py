"""Parts of a recipe whose class is unknown to the reader and not needed there."""


class UnknownClassError(ValueError, AttributeError):
    """A class is needed that is not available here.

    Also an `AttributeError`, so that `isinstance` with a protocol finds that the part has no such method.
    """


class Opaque:
    """A constructor in recipe text whose class is unknown: a value that keeps its text as its `repr`.

    Any other use raises `UnknownClassError`, a `ValueError`.

    Args:
        name: name of the class.
        text: the whole constructor call, such as `Exponential(scale=2.0)`.
    """

    def __init__(self, name: str, text: str) -> None:
        self._name, self._text = name, text

    def __repr__(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque) and repr(other) == repr(self)

    def __hash__(self) -> int:
        return hash(self._text)

    def __getattr__(self, name: str) -> object:
        # `copy` reads attributes before any are set.
        raise UnknownClassError(unknown(vars(self).get("_name", "Opaque")))

    def __call__(self, *_: object) -> object:
        """Raise `UnknownClassError`: terms are callable, this one is not."""
        raise UnknownClassError(unknown(self._name))


def unknown(name: str) -> str:
    """The error message for an unknown class."""
    return f"unknown class {name!a}: if it is yours, pass --use FILE.py (or known= in Python)"
