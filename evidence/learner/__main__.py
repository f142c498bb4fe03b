"""``python -m evidence.learner``."""

from __future__ import annotations

import sys

from evidence.learner.command import main

sys.exit(main())
