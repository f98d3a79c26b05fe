"""Sweeps: many problems under many configurations, recorded in the store and read back as accuracies."""
