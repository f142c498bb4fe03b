"""What the subcommands of ``molforge`` do; ``app.cli`` parses their options."""
