"""Language models on the leaderboard's programmes: ``molforge evaluate``.

    player    one model behind an OpenAI-compatible endpoint plays one programme -> Attempt
    contest   many programmes at once, one attempt each, resumable from a JSONL file
    standing  attempts -> scores with confidence intervals, parse and error rates, tokens, a leaderboard row
    command   options and the table

The model's text goes to the environment as it is: nothing here reads, repairs or replaces it.
"""

from __future__ import annotations
