"""The reference leaderboard: who plays how often, the page, the pictures (``make leaderboard``).

plan      the rows and how many programmes of each split they play; resumable
page      Markdown and JSON: standings, paired gaps, language models, digests
pictures  scores by family, score against credits spent, difficulty curves
command   ``python -m evidence.leaderboard``
"""

from __future__ import annotations
