"""Which measures a page on gaps speaks of, whatever the returns hold."""

from itertools import combinations

import pytest

from vsh_eval import registry
from vsh_eval.pipeline.questions.gap_page import GapPage


@pytest.mark.parametrize("topic", ["attendance", "attainment"])
def test_a_page_has_the_characteristics_of_what_it_puts_first_whichever_measures_are_shown(topic):
    known = [entry.name for entry in registry.of_topic(topic)]
    for size in (1, 2):
        for shown in combinations(known, size):
            page = GapPage(run=None, topic=topic)
            page.__dict__["shown"] = shown  # a cached property: no run is asked
            assert page.main
            assert set(page.main) <= set(page.by_characteristic) <= set(shown)
