"""The circuit breaker: it decides whether to call, and never what the answer is."""

import pytest

from ansim.lib.circuit import Circuit, State


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def circuit(clock):
    return Circuit(failures=3, within=10, pause=2, clock=clock)


def broken(circuit):
    for _ in range(3):
        assert circuit.lets_through()
        circuit.failed()
    return circuit


def test_failures_in_a_row_open_it_and_nobody_calls_for_a_while(circuit, clock):
    broken(circuit)
    assert (circuit.state, circuit.lets_through()) == (State.OPEN, False)
    clock.now = 1.9
    assert not circuit.lets_through()


def test_one_success_between_them_keeps_it_closed(circuit):
    for _ in range(10):
        circuit.failed()
        circuit.failed()
        circuit.succeeded()
    assert circuit.state is State.CLOSED


def test_failures_far_apart_keep_it_closed(circuit, clock):
    for _ in range(10):
        circuit.failed()
        clock.now += 6
    assert circuit.lets_through()


def test_after_the_pause_one_call_goes_through_and_its_answer_decides(circuit, clock):
    broken(circuit)
    clock.now = 2
    assert circuit.state is State.HALF_OPEN
    assert [circuit.lets_through() for _ in range(3)] == [True, False, False]
    circuit.failed()
    assert (circuit.state, circuit.lets_through()) == (State.OPEN, False)
    clock.now = 4
    assert circuit.lets_through()
    circuit.succeeded()
    assert (circuit.state, circuit.lets_through()) == (State.CLOSED, True)


def test_a_probe_that_is_never_heard_of_gives_way(circuit, clock):
    broken(circuit)
    clock.now = 2
    assert circuit.lets_through()
    clock.now = 12
    assert circuit.lets_through()
