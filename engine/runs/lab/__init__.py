"""The lab: what judges believe about recorded trees, and when they are wrong."""
