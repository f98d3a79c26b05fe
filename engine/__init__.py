"""The search engine of Reasoning Tree Explorer, usable alone as a library: no user interface in here."""
