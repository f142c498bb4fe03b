"""Makes the data files of the landscapes from a folder of CSVs; needs RDKit, numpy and 40 minutes at most.

    sources   which CSVs, which columns, which split, whose licence
    fit       exact Gaussian process: hyperparameters, weights, held-out figures
    calibrate intervals that hold what they say on series that were left out
    quantise  the posterior's columns in 8 bits, errors fed back so that they cancel
    build     fit and columns become one data file
    search    a genetic algorithm over structures that pass the gates
    pools     reference designs of a target, from many searches
    cards     one page of markdown for every data file
    run       all of it, in order

Run it with one BLAS thread: then the same machine makes the same bytes.
"""
