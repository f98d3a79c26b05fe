"""What several pages are made of: fields and what is read from them, pieces of HTML, the feed of a growing run."""
