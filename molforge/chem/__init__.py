"""The typed edge of RDKit: everything that knows chemistry and nothing about programmes.

    structure        text -> Structure, the one door (``parse``); tokens, identity, similarity, framework
    syntax           what a raw string may be, before RDKit sees it
    standard         charges, protons and explicit hydrogens: one drawing of one compound
    skeleton         the drawing-independent graph behind tokens and identity
    tautomers        the drawing of a compound that is registered
    gates            what a laboratory would make (``check``), cheapest gate first
    instability      the SMARTS of what falls apart or cannot be isolated
    environments     known atom environments and ring systems (tables under ``data/``)
    reference        builds those tables from a folder of CSV files
    properties       exact computed properties, synthetic accessibility, alert flags
    transformations  the named medicinal-chemistry edits (``suggest``)
    edits, fragments blind random edits for searches: mutate, crossover; and what they put in

Calls go upward only: syntax, standard and skeleton know nothing; structure uses them; everything else
takes a ``Structure``. Importing this package loads nothing: import the module you need. RDKit's log is
silenced when ``structure`` is imported; what it would have said is in the error.

The package refuses with ``RefusedStructure`` and in no other way, never reads user SMARTS, and never sees
a molecule of more than 50 heavy atoms.
"""
