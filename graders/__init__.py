"""Graders: pure functions from a finished episode to a ``Score``.

``graders.<family>.grade(episode)`` takes the record that ``Episode.record`` makes (a JSON object:
what was asked, what was done, and the truth about the nominee) and returns a ``Score``: a number in
[0, 1] with its named parts. ``graders.parts`` holds what the families share. Nothing here draws
random numbers, reads files, or knows about servers. ``graders/cases/`` holds recorded episodes.
"""
