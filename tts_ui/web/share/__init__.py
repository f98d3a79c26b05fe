"""A run, or runs side by side, as files to keep and to send: a page that works from disk, and the menu of the formats.

Gradio reads its settings when it is imported, and the tree's component imports it.
"""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
