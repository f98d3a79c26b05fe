"""The app in the browser: a room for each page, the parts that pages share, components for the tree."""
