"""Strategy cards: what each strategy does, in a few sentences, with its parameters shown on the tree."""

from tts_ui.web.strategy_cards.card import card
from tts_ui.web.strategy_cards.marks import marks

__all__ = ["card", "marks"]
