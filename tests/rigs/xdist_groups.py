"""xdist's groups, for pytest 9.2: tests of one `xdist_group` on one worker.

xdist tells its scheduler of a group by a suffix that it writes where pytest 9.2 no longer looks (pytest-xdist issue
1386), and then distributes as if there were no groups. Goes when a release of xdist heals it.
"""

import pytest
from _pytest.nodeid import NodeId


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not getattr(config.option, "loadgroup", False):  # xdist sets it in its workers
        return
    for item in items:
        mark = item.get_closest_marker("xdist_group")
        if mark is not None and not item.nodeid.endswith(f"@{mark.args[0]}"):
            item._id = NodeId.parse(f"{item.nodeid}@{mark.args[0]}")
