"""`make bench`: the figures of what exists today, each beside its budget (DESIGN §16). Names as arguments choose some.

Nothing is asserted: a missed budget is shown and explained, and only a benchmark that breaks ends in an error.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # The folder of tests instead of this one: from there come `benchmarks` and `rigs`, as under pytest.
    sys.path[0] = str(Path(__file__).parents[1])
    from benchmarks.suite import main

    main(sys.argv[1:])
