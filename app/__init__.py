"""The aiohttp server and the command line.

The way of one request::

    rest.py, ws.py, mcp.py    protocol: parse with wire.py, answer, translate errors with errors.py
          |
      service.py              one session's life: open, reset, step, state, close
       |       |       |
    sessions.py  engine.py  journal.py
    who is here   where environments run    what was done

    main.py     puts them together: create_app(config) -> web.Application
    config.py   every setting, read once
    serving.py  listens, drains on SIGTERM
    info.py, openapi.py, tasks.py, pages.py   what the server says of itself
    cli.py, commands/   the command line

It knows HTTP, JSON and sessions and nothing of chemistry: environments come from a factory and are
called in threads, never on the event loop. It never imports openenv (see ``molforge.client``).
"""
