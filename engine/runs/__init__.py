"""Runs: what brings a question, models, a strategy and the store together, alone, side by side, or in sweeps."""
