"""Hidden property landscapes: what a molecule really does, different in every world.

    catalogue   what there is: names, units, licences (imports nothing heavy)
    artefact    the container all data files share, checked on reading
    tokens      many molecules' fingerprint tokens in one compact block
    index       kernel rows: MinMax similarity of one molecule to every ligand, as exact integers
    minhash     the prior's random features, from one fixed table
    curves      tanh and the applicability weight, as integer tables
    model       ``PropertyModel`` and ``OffTarget``: immutable, loaded once, shared by all worlds
    world       ``World``: one draw of every property of a programme from a key
    pool        ``Pool``: reference designs of a target, evaluated fast on any world
    training/   makes the data files from a folder of CSVs

A world is a posterior sample of a Gaussian process (Matheron's rule on MinHash features). Everything
random enters through a keyed hash, and every sum is one of integers inside the exact range of its
number type, so values are the same bits on every machine and in any order of asking. Nothing here
imports RDKit except ``training``.
"""
