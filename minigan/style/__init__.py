"""Style transfer: paint one picture's content with another's strokes and colours.

Start at :func:`transfer`; the idea is in `minigan.style.gram` and `minigan.style.losses`.
"""

from minigan.style.features import Extractor, open_features
from minigan.style.settings import Settings
from minigan.style.transfer import Event, Result, transfer

__all__ = ["Event", "Extractor", "Result", "Settings", "open_features", "transfer"]
