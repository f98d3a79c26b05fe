"""Which models there are: the models file, the Hugging Face Hub, what fits this machine, and loading by name."""
