"""What ``molforge bench`` measures with, and what it measures.

    trivial   an environment that costs nothing, so that what is measured is the server
    served    this project's server around it, as a process
    echo      the least that an aiohttp server can do
    servers   the processes that are compared
    load      sessions that step as fast as they are answered, and the CPU that the server's processes used
    parts     one function for each thing that is measured, with what has to be reached
    figures   columns, tables, pictures

The stock server is ``benchmarks/stock_host.py``, run by a Python that has openenv;
``benchmarks/locustfile.py`` is a check from outside.
"""
