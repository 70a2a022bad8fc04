"""PyTorch's newer place of spectral and weight norm: the same two functions.

A state names what they store as the older functions do: ``weight_orig`` with ``weight_u`` and ``weight_v``;
``weight_g`` with ``weight_v``.
"""

from minigan.nn.reparametrise import spectral_norm, weight_norm

__all__ = ["spectral_norm", "weight_norm"]
