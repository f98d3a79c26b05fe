"""What the lessons of /learn show: effects over many problems, and recorded runs. `make lessons` writes both."""
