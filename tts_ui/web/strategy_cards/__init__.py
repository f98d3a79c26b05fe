"""Strategy cards: what each strategy does, in a few sentences, with its parameters drawn on the tree at hand."""

from tts_ui.web.strategy_cards.card import card
from tts_ui.web.strategy_cards.marks import marks

__all__ = ["card", "marks"]
