"""The built-in world: families of problems with exact answers, their sets, and a checker of single steps."""
