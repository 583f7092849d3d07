"""What the players want: scores in, scalar out. Objectives know no networks, optimisers or penalties."""

from zerosum._rooms import open_room

open_room(__name__)
