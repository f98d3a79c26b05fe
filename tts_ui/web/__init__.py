"""The app in the browser: one file a page, components for the tree."""
