"""The tiny checkpoints in published layouts are made beside the scorers' tests."""

import sys
from pathlib import Path

for folder in ("scorers", "engine"):
    sys.path.append(str(Path(__file__).parents[1] / folder))
