"""The reference leaderboard: who plays how often, the page, the pictures (``make leaderboard``).

plan       the rows and how many programmes of each split they play; resumable
allowance  a policy that sees a part of its budget
page       Markdown and JSON: standings, paired gaps, language models, digests
pictures   scores by family, score against credits and against difficulty
command    ``python -m evidence.leaderboard``
"""

from __future__ import annotations
