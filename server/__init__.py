"""The entry point that ``openenv`` looks for; the server itself is in ``app``."""
