"""What the tests stand on."""

from processes import free_port


def test_no_port_is_given_twice():
    ports = [free_port() for _ in range(1000)]
    assert len(set(ports)) == len(ports)
