"""What the pages on the attendance and on the attainment gap have in common.

Each page asks the same questions of the measures of its topic. A notebook makes a table in one
line, `run.release(metrics..., page.comparison)`; how its measures are shown, the main ones first
and the others folded, is said here once.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

import pandas as pd

from vsh_eval import metrics, names, registry
from vsh_eval.metrics import Comparison, characteristics, training
from vsh_eval.pipeline.workspace import Run
from vsh_eval.release import figures, pages, text
from vsh_eval.release.disclosure import SafeTable, join
from vsh_eval.release.rows import last_year
from vsh_eval.release.text.phrases.fixed import phrase
from vsh_eval.release.text.safe_text import SafeText, paragraphs

Topic = Literal["attendance", "attainment"]

_GROUPS = ("cin", "cpp", "cwsw", "previous", "ever_cwsw", "cla")
_REFERENCES = ("peers", "all")
_LEAVES = tuple(name for name in _GROUPS if name not in names.GROUP_SUMS)
"""Groups without a child in common, which are also compared with each other."""
_MAIN: Mapping[Topic, tuple[str, ...]] = {
    "attendance": ("overall_absence",),
    "attainment": ("ks2_rwm_expected", "ks4_attainment8"),
}
"""The measures that come first; the others are folded."""
_SHOWN: Mapping[Topic, tuple[str, ...]] = {
    "attendance": tuple(entry.name for entry in registry.of_topic("attendance")),
    "attainment": (
        *("eyfsp_gld", "phonics_expected", "ks2_rwm_expected"),
        *("ks4_attainment8", "ks4_progress8", "ks4_basics_94"),
    ),
}
"""The measures that a page speaks of; every measure of the topic is in its tables."""
_BREAKDOWNS: Mapping[Topic, tuple[str, ...]] = {
    "attendance": tuple(names.BREAKDOWNS),
    "attainment": tuple(by for by in names.BREAKDOWNS if by != names.KEY_STAGE),
}
"""By what gaps are broken down; a measure of attainment is of one key stage."""
_BY_CHARACTERISTIC: Mapping[Topic, tuple[str, ...]] = {
    "attendance": ("overall_absence", "persistent_absence"),
    "attainment": _MAIN["attainment"],
}
"""The measures whose gaps are shown by each characteristic."""
_PUBLISHED: Mapping[Topic, tuple[str, ...]] = {
    "attendance": ("overall_absence", "persistent_absence"),
    "attainment": ("ks2_rwm_expected", "ks4_attainment8", "ks4_progress8"),
}
"""The measures compared with DfE's tables of other authorities."""


def released_gaps(run: Run, *, measures: Iterable[str] | None = None) -> SafeTable:
    """Release the gaps of every group.

    Beside the reference of the settings in every phase, beside other references over all phases.

    Parameters
    ----------
    run : Run
        A run whose panel is there.
    measures : iterable of str, optional
        Metrics by name; all of the panel's if not given.
    """
    cohort = run.settings.cohort
    groups = tuple(dict.fromkeys((cohort.group, *_GROUPS)))
    others = tuple(name for name in _REFERENCES if name != cohort.reference)
    # DfE publishes one reference only.
    further = () if run.settings.source.kind == "published" else (*others, *_LEAVES)
    return run.release(
        metrics.gap_table,
        groups=groups,
        references=(cohort.reference,),
        in_total=further,
        metrics=None if measures is None else tuple(measures),
    )


def bands_of_need(run: Run) -> tuple[training.Bands, ...]:
    """Return a run's schools by deprivation, and by their gap before anyone was trained."""
    schools, log, panel = run.load("schools"), run.load("training"), run.load("panel")
    gap = training.baseline_gap_bands(
        panel,
        log,
        schools,
        metric=run.settings.protocol.primary,
        group=run.settings.cohort.group,
        reference=run.settings.cohort.reference,
    )
    return training.deprivation_bands(schools), gap


@dataclass(frozen=True)
class GapPage:
    """One page's measures and how they are shown.

    Attributes
    ----------
    run : Run
        The run.
    topic : {"attendance", "attainment"}
        What the page is about.
    """

    run: Run
    topic: Topic

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """Every measure of the topic that the panel has, suspensions with attendance."""
        topics = ("attendance", "suspension") if self.topic == "attendance" else ("attainment",)
        held = set(self.run.load("panel")["metric"])
        of_topic = [entry.name for topic in topics for entry in registry.of_topic(topic)]
        return tuple(name for name in of_topic if name in held)

    @cached_property
    def comparison(self) -> Comparison:
        """The settings' comparison of the page's measures."""
        return self.run.comparison(metrics=self.measures)

    @cached_property
    def gaps(self) -> SafeTable:
        """The gaps of every group and area."""
        return released_gaps(self.run, measures=self.measures)

    @cached_property
    def own(self) -> SafeTable:
        """The gaps of the authority's cohort."""
        return self.gaps.where(
            unit_id=self.comparison.unit_id,
            group=self.comparison.group,
            reference=self.comparison.reference,
        )

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """The measures that the page speaks of: those of which a gap is shown in some year."""
        known = set(self.own.where(status="", phase=names.TOTAL).frame["metric"])
        return tuple(name for name in _SHOWN[self.topic] if name in known)

    @cached_property
    def main(self) -> tuple[str, ...]:
        """The measures that come first."""
        first = tuple(name for name in _MAIN[self.topic] if name in self.shown)
        return first or self.shown[:1]

    @property
    def others(self) -> tuple[str, ...]:
        """The measures that are folded."""
        return tuple(name for name in self.shown if name not in self.main)

    @property
    def by_characteristic(self) -> tuple[str, ...]:
        """The measures whose gaps are shown by characteristic, those that come first included."""
        others = (name for name in _BY_CHARACTERISTIC[self.topic] if name in self.shown)
        return tuple(dict.fromkeys((*self.main, *others)))

    @property
    def moved(self) -> tuple[str, ...]:
        """The measures whose last year is later than the baseline."""
        baseline = self.run.settings.years.baseline
        return tuple(name for name in self.shown if self.year(name) > baseline)

    @property
    def suspensions(self) -> tuple[str, ...]:
        """The measures of suspension."""
        return tuple(n for n in self.measures if registry.metric(n).topic == "suspension")

    @property
    def unshown(self) -> SafeText:
        """Which of the page's measures have no gap that is shown, '' where all have."""
        hidden = [name for name in _SHOWN[self.topic] if name not in self.shown]
        return text.page.no_results_sentence(hidden)

    @cached_property
    def cohort_moved(self) -> SafeText:
        """In which years the cohort grew or shrank so much that a trend must name it, '' if none.

        The same children are counted as on the page of the cohort: those of the primary outcome.
        """
        metric, group = self.run.settings.protocol.primary, self.comparison.group
        if metric not in set(self.run.load("panel")["metric"]):
            metric = "overall_absence"
        levels = self.run.release(metrics.levels, groups=[group], metrics=[metric])
        return text.cohort.moves_sentence(
            levels, metric=metric, group=group, unit_id=self.comparison.unit_id
        )

    @property
    def has_returns(self) -> bool:
        """Whether the run reads returns: DfE's tables lack schools and characteristics."""
        return self.run.settings.source.kind != "published"

    def year(self, metric: str) -> int:
        """Return the last year in which a measure's gap is shown."""
        return last_year(self.own, metric=metric, phase=names.TOTAL)

    def about(self, metric: str) -> dict[str, Any]:
        """Return a measure with its last year, as sentences take them."""
        return {"metric": metric, "year": self.year(metric)}

    def mine(self, producer: Callable[..., pd.DataFrame]) -> SafeTable:
        """Release a table of the page's comparison and return the authority's own rows."""
        table = self.run.release(producer, self.comparison)
        return table.where(unit_id=self.comparison.unit_id)

    # --- What is shown, question by question -------------------------------------------------

    def show_answer(self, changes: SafeTable) -> None:
        """Show the main gaps: whether they moved, how wide they are, both levels."""
        for name in self.main:
            pages.show_statement(*self._sentences(changes, name))
        pages.show_text(self.cohort_moved)
        with pages.side_by_side():
            for name in self.main:
                self.run.publish_figure(figures.draw_levels(self.own, metric=name))
                if len(self.main) == 1:
                    self.run.publish_figure(figures.draw_gap(self.own, metric=name))

    def show_measures(self, changes: SafeTable) -> None:
        """Show each measure behind one line that says its gap, with the charts not yet shown."""
        for name in self.shown:
            summary = text.gaps.gap_in_short(self.own, changes, **self.about(name))
            first = name in self.main
            charts: list[Callable[..., figures.Figure]] = [] if first else [figures.draw_levels]
            if first and len(self.main) > 1:
                charts.append(figures.draw_gap)
            if registry.metric(name).has_ratio:
                charts.append(partial(figures.draw_gap, measure="ratio"))
            with pages.folded(summary):
                if not first:
                    pages.show_text(*self._sentences(changes, name))
                with pages.side_by_side():
                    for draw in charts:
                        self.run.publish_figure(draw(self.own, metric=name))

    def show_context(self) -> None:
        """Show the authority among England, its region and its neighbours in DfE's tables."""
        panel, places = self.run.published_context()
        there = set(panel["metric"].unique())
        requested = [name for name in _PUBLISHED[self.topic] if name in there]
        if not requested:
            pages.show_text(phrase("no_published_folder"))
            return
        cohort = Comparison("cwsw", "all", metrics=tuple(requested))
        near = self.run.release(metrics.gaps, cohort, panel=panel)
        code = self.comparison.unit_id
        own = near.where(unit_id=code, phase=names.TOTAL).frame["metric"]
        where = {"authority": code, "labels": places}
        for at, name in enumerate(dict.fromkeys(own)):
            place = text.context.context_sentence(near, metric=name, **where)
            level = text.context.context_sentence(near, metric=name, measure="group_level", **where)
            chart = figures.draw_standing(near, metric=name, **where)
            if not at:
                pages.show_text(place)
            with pages.folded(place) if at else nullcontext():
                pages.show_text(level)
                self.run.publish_figure(chart)

    def show_folded(
        self, title: str, say: Callable[[str], SafeText], *, of: Iterable[str] | None = None
    ) -> None:
        """Show a sentence on each main measure, and those on the others behind a title."""
        known = set(self.shown if of is None else of)
        main, others = (
            [say(name) for name in part if name in known] for part in (self.main, self.others)
        )
        pages.show_text(paragraphs(*main))
        if others:
            with pages.folded(title):
                pages.show_text(paragraphs(*others))

    def show_by_phase(self) -> None:
        """Show every measure's gap by phase of education."""
        if not self.has_returns:
            pages.show_text(phrase("phases_differ_published"))
        if not self.main:
            pages.show_text(self.unshown)
            return
        first = self.main[0]
        with pages.folded(text.gaps.widest_sentence(self.own, over="phase", **self.about(first))):
            for name in self.shown:
                pages.show_table(
                    self.own.where(metric=name, time_period=self.year(name)),
                    phrase("gap_by_phase", **self.about(name)),
                    columns=["phase", "group_pupils", "group_level", "reference_level", "gap"],
                    notes=False,
                    folded=name != first,
                )

    def show_characteristics(self, name: str) -> None:
        """Show the main gaps by each characteristic of the children, and publish the table."""
        if not (self.has_returns and self.main):
            pages.show_text(
                self.unshown if self.has_returns else phrase("no_characteristics_published")
            )
            return
        asked = self.comparison.of(*self.by_characteristic)
        broken, apart = (
            join(*(self.run.release(of, asked, by=by) for by in _BREAKDOWNS[self.topic]))
            for of in (characteristics.gaps_by, characteristics.differences_by)
        )
        self.run.publish(name, broken)
        self.run.publish(f"{self.topic}_differences", apart)
        answers = [
            text.characteristics.breakdown_sentence(
                broken, apart, breakdown=by, **self._last(broken, one)
            )
            for one in self.main
            for by in _BREAKDOWNS[self.topic]
        ]
        pages.show_text(paragraphs(*answers[:-1]))
        with pages.folded(answers[-1]), pages.side_by_side():
            for one in asked.metrics or ():
                about = self._last(broken, one)
                self.run.publish_figure(figures.draw_breakdown(broken, **about))

    def show_groups(self) -> None:
        """Show the gaps of the other groups beside the same reference."""
        rows = self.gaps.where(unit_id=self.comparison.unit_id, phase=names.TOTAL)
        for name in self.shown:
            near = rows.where(metric=name).latest("metric")
            about = {"metric": name, "year": last_year(near)}
            own = {"over": "group", "reference": self.comparison.reference}
            with pages.folded(text.gaps.widest_sentence(near, **own, **about)):
                pages.show_table(
                    near.where(reference=_REFERENCES),
                    phrase("gap_of_groups_and_references", **about),
                    columns=[
                        *("group", "reference", "group_pupils"),
                        *("group_level", "reference_level", "gap"),
                    ],
                    notes=False,
                )

    def show_composition(self, name: str) -> None:
        """Show how much of the last main gap goes with who the children are; publish the tables."""
        if not (self.has_returns and self.main):
            pages.show_text(self.unshown if self.has_returns else phrase("no_sen_published"))
            return
        about = self.about(self.main[-1])
        asked = self.comparison.of(self.main[-1])
        split = self.run.release(characteristics.decompose, asked)
        matched = self.run.release(characteristics.matched_gap, asked)
        stayed = self.run.release(characteristics.standardised_gap, asked)
        parts = {
            name: split,
            f"{self.topic}_matched": matched,
            f"{self.topic}_standardised": stayed,
        }
        for table, safe in parts.items():
            self.run.publish(table, safe)
        pages.show_text(text.characteristics.decomposition_sentence(split, **about))
        pages.show_text(phrase("goes_together"))
        with pages.folded(text.characteristics.matched_sentence(matched, **about)):
            pages.show_text(text.characteristics.standardised_sentence(stayed, **about))
            there = split.where(phase=names.TOTAL, time_period=about["year"], status="")
            if len(there.frame):
                self.run.publish_figure(figures.draw_decomposition(split, **about))

    def show_how(self) -> None:
        """Show how the numbers were made, and the run's card."""
        for name in self.main[:1]:
            pages.show_text(text.context.counting_sentence(self.own, metric=name))
        pages.show_table(self.run.card(), "run_card", folded=True)

    def _sentences(self, changes: SafeTable, metric: str) -> list[SafeText]:
        """Say whether a gap moved since the baseline, and how wide it is."""
        about = self.about(metric)
        answers = [text.gaps.gap_sentence(self.own, **about)]
        if about["year"] > self.run.settings.years.baseline:
            answers.insert(0, text.gaps.change_sentence(changes, **about))
        return answers

    def _last(self, safe: SafeTable, metric: str) -> dict[str, Any]:
        return {"metric": metric, "year": last_year(safe, metric=metric)}
