"""A formula that sympy would work on for ever; without the unknown n, it gives up after a second."""

ENDLESS = r"\int_0^1 \int_0^1 \int_0^1 \sin(\cos(xyz))^{n} dx dy dz"
