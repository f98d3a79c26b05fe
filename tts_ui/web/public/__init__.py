"""What only a server that strangers reach has: its limits in words, the owner's page, how long runs are kept, and what
a visitor may ask about himself."""

from tts_ui.web.public.mine_desk import MineDesk
from tts_ui.web.public.opening import Opening
from tts_ui.web.public.owner_desk import OwnerDesk
from tts_ui.web.public.pages import foot, limits, owner

__all__ = ["MineDesk", "Opening", "OwnerDesk", "foot", "limits", "owner"]
