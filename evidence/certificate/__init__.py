"""The certificate: every check of OpenEnv 0.10.0's severity policy v2, with what was run and what came out.

    bench        what checks look at: the project's folder, a real server, recorded episodes, matches
    static       files: manifest, pins, image, layout          runtime      a server at work
    semantic     oracle, floor, leaks, graders, replay         statistical  does it separate and teach
    checks       the list of all 46 ids, in our own words, and the verdict on each
    report       JSON, Markdown and HTML with pictures          command      ``molforge certify``

A check is a function ``(bench) -> Outcome``. Ids that only a registry can judge say so, with what was done
instead. That each check can fail is shown by planting a defect for each (``tests/evidence``).
"""

from __future__ import annotations
