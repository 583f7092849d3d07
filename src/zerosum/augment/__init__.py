"""What the discriminator sees in place of the samples: differentiable transformations, fixed or adaptive."""

from zerosum._rooms import open_room

open_room(__name__)
