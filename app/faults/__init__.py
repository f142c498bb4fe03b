"""What ``molforge faults`` does to a server, and how it knows that nothing was lost.

    environment   an environment that does what it is told: sleep, hang, take memory; its replies chain
    server        a real server process around it, its children, their memory and open files
    players       sessions that step, resume after every loss, and compare each reply with play in process
    kills         workers and servers are killed, stopped, filled and hung
    storage       the journal's disk is full, or read-only
    strangers     aborted connections, intruders, slow peers, floods; a thousand sockets at SIGTERM
    verdict       what was measured beside what is allowed

Load stays on loopback. Every scenario is bounded in count and time.
"""
