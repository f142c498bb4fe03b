"""``python -m evidence.leaderboard``."""

from __future__ import annotations

import sys

from evidence.leaderboard.command import main

sys.exit(main())
