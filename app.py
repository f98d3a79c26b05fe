"""Starts the app: `python app.py` is `tts-ui serve`. A Hugging Face Space (it sets `SPACE_ID`) runs it too."""

import os
import sys

from engine.models.local import lent_gpu
from tts_ui.cli.main import main

if __name__ == "__main__":
    lent_gpu.begin()
    in_a_space = ["--host", "0.0.0.0", "--public"] if os.environ.get("SPACE_ID") else []
    main(["serve", *in_a_space, *sys.argv[1:]])
