"""Evidence that the environment is worth training on and hard to cheat; each part is one command.

    certificate   every applicable check of OpenEnv's severity policy, with figures: ``molforge certify``

It stands above everything: it may use attacks, families and policies, and starts real servers, but touches
none of their insides. Nothing of it runs in the server.
"""

from __future__ import annotations
