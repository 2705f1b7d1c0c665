"""Tools that know no feature: database, encryption, clocks, workers, logs."""
