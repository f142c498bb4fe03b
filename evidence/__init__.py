"""Evidence that the environment is worth training on and hard to cheat; each part is one command.

    certificate   every check of OpenEnv's severity policy, with figures: ``molforge certify``
    leaderboard   reference policies on all families and splits: ``make leaderboard``
    models        a language model on the leaderboard's programmes: ``molforge evaluate``
    datasets      episodes to learn from and tasks to play: ``molforge dataset``
    learner       a small network trained through the real server: ``make learn``

It stands above everything: it may use attacks, families and policies, and starts real servers, but touches
none of their insides. Nothing of it runs in the server.
"""

from __future__ import annotations
