"""From problems and steps to token ids: chat templates, and tokenizers used a piece at a time."""
