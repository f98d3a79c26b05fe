"""How sure the policy was, from the search to the store, the files and the rules; what is said where nobody knows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.recorded import PROBLEM, solve_with
from support.scripted import ScriptedPolicy

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.examples import LESSONS
from engine.runs.fork import Fork
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.domain import Domain
from engine.search.params import RunParams
from engine.search.readings import confidence
from engine.search.selection import RULES, recorded
from engine.search.tree import Tree
from engine.store import Store
from engine.store.document import document
from engine.store.exporters import steps_csv
from engine.store.imports import import_document
from tts_ui.web.parts.fragments import rules
from tts_ui.web.parts.lessons import import_all, run_ids
from tts_ui.words.rules import not_recorded, rule_words, under_rules

ASKED = Question(PROBLEM, "263")
SURE = [rule.name for rule in RULES.values() if rule.asks_policy]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Store.open(str(tmp_path_factory.mktemp("sure") / "runs.db")) as store:
        host = Host(store)
        yield host
        host.close()


def searched(host: Host, params: RunParams, fork: Fork | None = None) -> str:
    running = host.line_up(ASKED, params, fork=fork).result()
    running.future.result(timeout=60)
    host.store.flush(running.id)
    return running.id


def test_a_run_is_decided_by_a_rule_that_asks_the_policy_and_read_under_all(host: Host) -> None:
    for strategy in ("best_of_n", "majority_vote"):
        run_id = searched(host, RunParams(strategy, n=8, select="confidence_vote"))
        record, events = host.store.read(run_id)
        tree = Tree.from_events(events)
        assert record.status == "done" and record.params["select"] == "confidence_vote"
        assert all(node.confidence and node.certainty for node in tree.nodes[1:])
        winner = record.answers(tree)[0]
        assert winner.answer == record.answer and winner.weight > winner.votes
        read = {under.rule: under for under in under_rules(record, tree, record.judge)}
        assert set(read) == {name for name, rule in RULES.items() if record.judge or not rule.reducer}
        assert read["confidence_vote"].winner == winner
        assert all(under.winner is not None for under in read.values())


def test_the_document_the_table_and_another_store_keep_the_numbers(host: Host, tmp_path: Path) -> None:
    run_id = searched(host, RunParams("beam_search", n=4, width=2))
    record, events = host.store.read(run_id)
    tree = Tree.from_events(events)
    written = document(record, events)
    assert [node.get("confidence") for node in written["nodes"]] == [node.confidence for node in tree.nodes]
    with Store.open(str(tmp_path / "other.db")) as other:
        import_document(other, written)
        again = other.tree(run_id)
        assert document(*other.read(run_id))["nodes"] == written["nodes"]
    assert [node.certainty for node in again.nodes] == [node.certainty for node in tree.nodes]
    table = list(csv.DictReader(io.StringIO(steps_csv.render(record, events).decode())))
    assert [float(row["certainty"]) for row in table] == [node.certainty for node in tree.nodes[1:]]


def test_paired_runs_share_the_numbers_of_their_draws(host: Host) -> None:
    comparing = host.compare(ASKED, [RunParams("best_of_n", n=6), RunParams("majority_vote", n=6)])
    trees = []
    for running in comparing.runs:
        running.future.result(timeout=60)
        host.store.flush(running.id)
        trees.append(host.store.tree(running.id))
    one, other = ([(node.text, node.confidence, node.certainty) for node in tree.nodes[1:]] for tree in trees)
    assert one == other and all(sure is not None for _, sure, _ in one)


def test_a_fork_keeps_the_numbers_of_what_it_took_over_and_leaves_out_a_step_of_ones_own(host: Host) -> None:
    source = host.store.tree(run_id := searched(host, RunParams("best_of_n", n=4)))
    node = next(node for node in source.nodes[1:] if not node.terminal)
    more = host.store.tree(searched(host, RunParams("majority_vote", n=4), Fork.at(host.store, run_id, node.id)))
    assert [(step.confidence, step.certainty) for step in more.path(more[node.depth])] == [
        (step.confidence, step.certainty) for step in source.path(node)
    ]
    own = Fork.instead(host.store, run_id, 1, "## Step 1: 18 * 13 = 234, which leaves 5 + 234 + 8 + 8 + 8.")
    record, events = host.store.read(searched(host, RunParams("majority_vote", n=4, select="confidence_vote"), own))
    tree = Tree.from_events(events)
    assert record.status == "done" and tree[1].origin == "human" and tree[1].confidence is None
    leaf = next(tree.completions())
    steps = [(step.confidence or 0.0, step.tokens) for step in tree.path(leaf)[1:]]
    assert confidence(tree.path(leaf)) == pytest.approx(sum(c * t for c, t in steps) / sum(t for _, t in steps))


def test_the_recorded_examples_say_what_was_not_recorded(host: Host) -> None:
    import_all(host.store)
    for run_id in (run_id for lesson in LESSONS for run_id in run_ids(lesson)):
        record, events = host.store.read(run_id)
        tree = Tree.from_events(events)
        assert not any(recorded(tree, rule, record.judge) for rule in SURE)
        assert all("confidence" not in node for node in document(record, events)["nodes"])
        read = {under.rule: under for under in under_rules(record, tree, record.judge)}
        assert {rule for rule, under in read.items() if under.lacks == not_recorded()} == set(SURE)
        assert all(read[rule].winner is None for rule in SURE)
        assert rules(record, tree, record.judge).count(f"<td>{not_recorded()}</td>") == len(SURE)
        assert by_length(tree, first=True).keys() == votes_of(record.answers(tree, "first_finish_k")).keys()
        assert votes_of(record.answers(tree, "first_finish_k")) == pytest.approx(by_length(tree, first=True))
        assert votes_of(record.answers(tree, "last_finish_k")) == pytest.approx(by_length(tree, first=False))


def votes_of(groups: object) -> dict[str | None, float]:
    return {group.answer: group.weight for group in groups if group.answer is not None}  # type: ignore[attr-defined]


def by_length(tree: Tree, *, first: bool) -> dict[str | None, float]:
    """The majority among a quarter of the draws with an answer, taken from the row of all draws by length one by one;
    those of one length are averaged over their places. The examples' answers are whole numbers in one spelling."""
    draws = sorted(
        ((sum(step.tokens for step in tree.path(leaf)), leaf.answer) for leaf in tree.completions() if leaf.answer
         for _ in range(leaf.copies)), key=lambda draw: draw[0], reverse=not first,
    )  # fmt: skip
    k = max(1, round(len(draws) / 4))
    votes: dict[str | None, float] = {answer: 0.0 for _, answer in draws}
    for tokens, answer in draws:
        places = [place for place, (other, _) in enumerate(draws) if other == tokens]
        votes[answer] += sum(place < k for place in places) / len(places)
    return votes


async def test_a_policy_that_does_not_tell_ends_the_run_and_keeps_its_tree(maths: Domain) -> None:
    policy = ScriptedPolicy(lambda path, index: (rf"\boxed{{{index}}}", "eos"))
    run = await solve_with(policy, None, maths, strategy="majority_vote", n=4, select="certainty_borda", problem="p")
    assert (run.last.status, run.last.answer) == ("failed", None)
    assert run.last.error == "select: scripted does not report what certainty_borda reads; choose majority_vote"
    assert len(list(run.tree.completions())) == 4 and len(run.last.grades) == 4
    run = await solve_with(policy, None, maths, strategy="majority_vote", n=4, select="first_finish_k", problem="p")
    assert run.last.status == "done" and run.last.answer is not None


def test_what_a_server_does_not_report_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text('[[pair]]\nname = "far"\n[pair.policy]\nkind = "openai"\nurls = ["http://127.0.0.1:9"]\n')
    with Store.open(str(tmp_path / "runs.db")) as store:
        host = Host(store, Catalogue(file))
        for ask in (
            lambda: host.submit(ASKED, RunParams("majority_vote", select="confidence_tail_vote")),
            lambda: host.compare(ASKED, [RunParams("greedy"), RunParams("majority_vote", select="certainty_borda")]),
        ):
            with pytest.raises(InvalidInput, match="how sure the policy is of each token") as refusal:
                ask()
            assert refusal.value.argument == "select" and "\n" not in str(refusal.value)
        assert not host.catalogue.loaded("far") and not list(store.runs())
        host.close()


def test_every_rule_has_its_words() -> None:
    assert len(set(map(rule_words, RULES))) == len(RULES) >= 14
