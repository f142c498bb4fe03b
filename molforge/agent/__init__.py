"""What the baseline agent (``inference.py``) is made of, apart from the model call itself.

    lines.py         the mandated stdout lines, and a stdout that nothing else can write to
    conversation.py  what a model is told: rules, command grammar, and a bounded history
    local_server.py  a server of our own on a free port, for as long as it is needed

Nothing here plays: it neither chooses actions nor repairs those a model wrote.
"""
