"""`python -m tts_ui` is `tts-ui`."""

from tts_ui.cli.main import main

if __name__ == "__main__":
    main()
