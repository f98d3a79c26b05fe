"""How well the difference of two real models elects among recorded completions, and finds the first wrong step."""
