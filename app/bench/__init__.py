"""What ``molforge bench`` measures with: a trivial environment, servers around it, and a load.

    trivial   an environment that costs nothing, so that what is measured is the server
    served    this project's server around it, as a process
    echo      the least that an aiohttp server can do
    load      sessions that step as fast as they are answered, and the CPU that the server's processes used

The stock server is ``benchmarks/stock_host.py``, run by a Python that has openenv.
"""
