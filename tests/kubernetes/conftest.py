"""One node for all tests of a session, and a namespace for each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image import containers
from tests.kubernetes import images
from tests.kubernetes.node import COMMAND, Namespace, Node, run, running_node

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies here, before `tests/conftest.py` leaves out what is marked and was not asked for."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.kubernetes)


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with the server's image."""
    if os.geteuid() != 0:
        pytest.skip("a Kubernetes node needs root")
    if lacking := containers.missing():
        pytest.skip(f"missing: {lacking}")
    if up := os.environ.get("NGSHARE_FS_KUBERNETES_NODE"):
        # One that is up already, with the images that it has: for whoever writes tests.
        yield Node(Path(up))
        return
    run([COMMAND, "install"])
    run([COMMAND, "build"])
    with running_node(tmp_path_factory.mktemp("node") / "node") as running:
        running.load(images.server())
        yield running


@pytest.fixture(scope="session")
def node_with_hub(node: Node) -> Node:
    """The same with the images of the hub and of nbgrader."""
    if not os.environ.get("NGSHARE_FS_KUBERNETES_NODE"):
        node.load(images.hub(), images.nbgrader())
    return node


@pytest.fixture
def namespace(node: Node) -> Iterator[Namespace]:
    """A namespace; the test is in the node's network."""
    with node.network():
        made = Namespace(node)
        try:
            yield made
        finally:
            made.remove()
