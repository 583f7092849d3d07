"""What the discriminator sees in place of the samples: differentiable transformations, fixed or adaptive."""

from zerosum import _rooms

_rooms.open_room(__name__)
