"""Episodes to learn from and tasks to play, as JSON lines or Parquet with a data card.

    wording   an action as the line of text that stands for it
    episodes  a reference policy's games as conversations (``messages``, as TRL's SFT trainer reads them)
    tasks     programmes to play: the prompt and what reset needs
    files     JSON lines, Parquet, the card
    command   ``molforge export sft`` and ``molforge export tasks``

Nothing hidden is in either: they hold what an agent was told and what it did.
"""

from __future__ import annotations
