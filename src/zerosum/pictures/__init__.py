"""Pictures: what people look at, as Pillow images."""

from zerosum._rooms import open_room

open_room(__name__)
