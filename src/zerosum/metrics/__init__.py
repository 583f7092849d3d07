"""Numbers on samples and features. Pure functions of tensors."""

from zerosum._rooms import open_room

open_room(__name__)
