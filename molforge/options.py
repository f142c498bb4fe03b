"""Command-line parsers that say what their options are by default."""

from __future__ import annotations

import argparse

DIGITS = 9
"""Of an option that counts."""


class Help(argparse.HelpFormatter):
    """Says every default there is, and N for a number."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text, value = action.help, action.default
        if not text or "default" in text or value is None or value is False or value is argparse.SUPPRESS:
            return text
        return f"{text} (default: %(default)s)"

    def _get_default_metavar_for_optional(self, action: argparse.Action) -> str:
        is_number = action.type in (int, float, counted, counted_or_none)
        return "N" if is_number else super()._get_default_metavar_for_optional(action)


def counted(text: str) -> int:
    """Read an option that counts something: a whole number, at least 1."""
    if len(text) > DIGITS or not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number from 1 on ({DIGITS} digits)")
    return int(text)


def counted_or_none(text: str) -> int:
    """Read an option that counts something, 0 for none of it."""
    return 0 if text == "0" else counted(text)


def parser_of(command: str, docstring: str | None) -> argparse.ArgumentParser:
    """Return the parser of a command, described by the docstring of its module (its name left out)."""
    told = (docstring or "").rpartition("``: ")[2].strip()
    told = told[:1].upper() + told[1:]
    return argparse.ArgumentParser(prog=command, description=told, formatter_class=Help)
