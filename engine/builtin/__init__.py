"""The built-in world: problems with exact answers, a step checker, and the training of the built-in models."""
