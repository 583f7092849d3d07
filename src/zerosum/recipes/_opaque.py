"""Parts of a recipe whose class is not known where the recipe is read, and not needed there."""


class UnknownClassError(ValueError, AttributeError):
    """Something really needs a class that only whoever wrote it has.

    An `AttributeError` as well, so that `isinstance` with a protocol finds that the part has no such method.
    """


class Opaque:
    """A constructor in recipe text whose class is unknown: a value that keeps its text, as its `repr`.

    Using it for anything else raises `UnknownClassError`, a `ValueError`.

    Args:
        name: of the class.
        text: the whole constructor, as `Exponential(scale=2.0)`.
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
        # `copy` asks for attributes before there are any.
        raise UnknownClassError(unknown(vars(self).get("_name", "Opaque")))

    def __call__(self, *_: object) -> object:
        """Raise `UnknownClassError`: a term is called, and this one cannot be."""
        raise UnknownClassError(unknown(self._name))


def unknown(name: str) -> str:
    """What there is to say of a class that is not known."""
    return f"unknown class {name!a}: if it is yours, pass --use FILE.py (or known= in Python)"
