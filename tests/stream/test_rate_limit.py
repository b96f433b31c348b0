"""So many in a while for each name, and a memory that does not grow with those who ask."""

from hypothesis import given
from hypothesis import strategies as st

from stream.pace.rate_limit import RateLimit
from tests.support.examples import examples

WITHIN, MOST = 60, 3
asked = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 40)), max_size=80)


@examples(300)
@given(asked)
def test_each_name_may_so_often_in_any_while_and_what_is_refused_does_not_count(
    asked: list[tuple[str, int]],
) -> None:
    limit, now, let = RateLimit(WITHIN), 0, list[tuple[str, int]]()
    for name, later in asked:
        now += later
        lately = sum(n == name and at > now - WITHIN for n, at in let)
        assert limit.full(name, now, MOST) == (lately >= MOST)
        assert limit.lets(name, now, MOST) == (lately < MOST)
        if lately < MOST:
            let.append((name, now))


@examples(200)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=120))
def test_no_more_names_are_remembered_than_it_was_told(asked: list[tuple[int, int]]) -> None:
    limit, now = RateLimit(WITHIN, names=5), 0
    for name, later in asked:
        now += later
        limit.lets(str(name), now, MOST)
        assert len(limit) <= 5


def test_who_asks_all_the_time_is_remembered_however_many_others_come() -> None:
    limit = RateLimit(WITHIN, names=5)
    let = [limit.lets("loud", 0, MOST)]
    for n in range(100):
        limit.lets(f"once {n}", 0, MOST)
        let.append(limit.lets("loud", 0, MOST))
    assert sum(let) == MOST


def test_names_whose_while_is_over_are_forgotten() -> None:
    limit = RateLimit(WITHIN)
    for n in range(1000):
        limit.lets(str(n), 0, MOST)
    assert len(limit) == 1000
    limit.lets("new", WITHIN, MOST)
    assert len(limit) == 1
