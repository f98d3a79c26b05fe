"""What a problem is about: how answers are found in a text, graded and grouped, and its problem sets."""
