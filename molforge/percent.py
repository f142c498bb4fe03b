"""Per cent inhibition at one concentration, and what it says of the potency.

``% = 100 / (1 + 10^(pC - pIC50))``, pC = -log10 of the concentration in mol/L: Hill (J. Physiol. 40, iv,
1910) with a slope of one. The curve is steep at its middle and flat at both ends: there a reading is
a bound and nothing more.
"""

from __future__ import annotations

import math


def inhibition(potency: float, micromolar: float) -> float:
    """Return the inhibition in % by a compound of this pIC50 at this concentration."""
    return 100.0 / (1.0 + math.pow(10.0, min(300.0, _half(micromolar) - potency)))


def potency_of(percent: float, micromolar: float) -> float:
    """Return the pIC50 at which the inhibition is ``percent`` (between 0 and 100, both left out)."""
    return _half(micromolar) + math.log10(percent / (100.0 - percent))


def potency_se(percent: float, se: float) -> float:
    """Return the standard error of the converted value from that of the % (first order)."""
    return 100.0 * se / (math.log(10.0) * percent * (100.0 - percent))


def _half(micromolar: float) -> float:
    """Return the pIC50 of 50 % inhibition at a concentration in umol/L."""
    return 6.0 - math.log10(micromolar)
