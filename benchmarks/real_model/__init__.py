"""What search gains with a real model on real problems: `make real`."""
