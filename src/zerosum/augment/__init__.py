"""Differentiable augmentation of the samples that the discriminator sees, fixed or adaptive."""

from zerosum import _rooms

_rooms.open_room(__name__)
