"""The command line, `tts-ui`."""
