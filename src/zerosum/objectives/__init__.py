"""What the players want: scores in, scalar out. Objectives know no networks, optimisers or penalties."""

from zerosum import _rooms

_rooms.open_room(__name__)
