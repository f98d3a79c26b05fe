"""The local back end and the PRM loop on a GPU: are they right, and how fast against what the card allows?

`make gpu-check` needs Python 3.12, torch and transformers, and what `make gpu-wheels` fetched. Checkpoints are random
and made on the spot; nothing is downloaded.
"""
