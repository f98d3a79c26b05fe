"""What each format becomes: a small file of every kind, and the run that comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import import_samples as samples

from engine.errors import InvalidInput
from engine.runs.importing import import_file
from engine.search.tree import Node, Tree
from engine.store import RunRecord, Store

Run = tuple[RunRecord, Tree]


def imported(store: Store, path: Path) -> list[Run]:
    """The runs of a file, in its order."""
    return [(store.run(run_id), store.tree(run_id)) for run_id in import_file(store, path).run_ids]


def only(store: Store, path: Path, record: object) -> Run:
    (run,) = imported(store, samples.lines(path, [record]))
    return run


def at(tree: Tree, text: str) -> Node:
    (node,) = [node for node in tree.nodes if node.text.strip() == text]
    return node


def facts(tree: Tree, judge: str) -> list[tuple[int, str, float | None, str, int]]:
    return [
        (node.depth, node.text.strip(), node.scores.get(judge), node.status, node.copies) for node in tree.nodes[1:]
    ]


def test_beams_come_back_as_the_tree_they_were(store: Store, tmp_path: Path) -> None:
    record, tree = only(store, tmp_path / "beams.jsonl", samples.BEAMS)
    assert (record.strategy, record.origin, record.status) == ("beam_search", "import", "done")
    assert (record.source, record.source_format) == ("beams.jsonl", "search-and-learn completions")
    assert (record.params["n"], record.reference_answer, record.warning) == (4, "12", None)
    assert facts(tree, record.judge or "") == [
        (1, "First 3 + 4 = 7.", 0.9, "open", 1),
        (1, "3 + 4 + 5 = 60", 0.1, "open", 1),
        (2, "Then 7 + 5 = 12.", 0.8, "open", 1),
        (2, "Then 7 + 5 = 13.", 0.2, "open", 1),
        (2, "\\boxed{60}", 0.05, "finished", 1),
        (3, "\\boxed{12}", 0.7, "finished", 2),
        (3, "\\boxed{13}", 0.3, "finished", 1),
    ]
    # Joined, the steps of a path are the completion as it was.
    assert "".join(node.text for node in tree.path(at(tree, "\\boxed{12}"))) == samples.BEAMS["completions"][0]
    assert (record.answer, record.correct) == ("12", True)
    assert [(group.answer, group.votes, group.correct) for group in record.answers(tree)] == [
        ("12", 2, True), ("13", 1, False), ("60", 1, False),
    ]  # fmt: skip
    assert tree.chosen == at(tree, "\\boxed{12}").id
    assert {event.kind for event in store.events(record.id) if hasattr(event, "kind")} == {"imported"}


def test_completions_with_token_counts_are_draws_of_their_own(store: Store, tmp_path: Path) -> None:
    counted = samples.BEAMS | {"completion_tokens": [10, 10, 11, 5]}
    record, tree = only(store, tmp_path / "bon.jsonl", counted)
    assert (record.strategy, record.usage.generated_tokens) == ("best_of_n", 36)
    assert at(tree, "First 3 + 4 = 7.").copies == 3


def test_scores_that_do_not_fit_their_steps_are_left_out_with_a_warning(store: Store, tmp_path: Path) -> None:
    torn = samples.BEAMS | {"scores": [[0.9, 0.8, 0.7], [0.9, 0.8, 0.7], [0.9, 0.2], [0.1, 0.05]]}
    record, tree = only(store, tmp_path / "torn.jsonl", torn)
    assert record.warning == "completions[2] has 3 steps and 2 scores, which are left out"
    assert at(tree, "Then 7 + 5 = 13.").scores == {} and at(tree, "First 3 + 4 = 7.").scores != {}


def test_completions_of_other_problems_are_warned_of(store: Store, tmp_path: Path) -> None:
    foreign = samples.BEAMS | {
        "problem": "A farmer has thirty sheep and forty goats; how many animals graze on the meadow?",
        "completions": [
            "The polynomial factors into linear terms.\n\nTherefore the roots are real.\n\n\\boxed{2}",
            "Convert rectangular coordinates using radius and angle formulas.\n\n\\boxed{9}",
            "Probability of drawing a red marble equals favourable outcomes.\n\n\\boxed{11}",
            "Triangle inequality bounds every side length from above.\n\n\\boxed{23}",
        ],
        "scores": [[0.9, 0.9, 0.9], [0.8, 0.8], [0.7, 0.7], [0.6, 0.6]],
    }  # fmt: skip
    sound = [samples.BEAMS | {"unique_id": number} for number in range(3)]
    came = import_file(store, samples.lines(tmp_path / "one.jsonl", [foreign, *sound]))
    assert len(came.warnings) == 1 and came.warnings[0].startswith("line 1: the completions seem to belong to other")
    assert [store.run(run_id).warning is not None for run_id in came.run_ids] == [True, False, False, False]
    # Where it is so for many, the others are not trusted either.
    mixed = [foreign | {"unique_id": 7}, samples.BEAMS | {"unique_id": 8}]
    came = import_file(store, samples.lines(tmp_path / "many.jsonl", mixed))
    assert "many completions in the file" in (store.run(came.run_ids[1]).warning or "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scores": [[0.9, 0.8, 0.7]]}, "line 2, scores: 1 lists for 4 completions"),
        ({"scores": [["high", 0.8, 0.7], [], [], []]}, r"scores\[0\]\[0\]: 'high' is not a score"),
        ({"scores": [[float("nan"), 0.8, 0.7], [], [], []]}, r"scores\[0\]\[0\]: 'nan' is not a score"),
        ({"completions": ["a", 7, "b", "c"]}, r"line 2, completions\[1\]: a text is missing"),
        ({"problem": " "}, "line 2, problem: a text is missing"),
        ({"problem": None}, "line 2, problem: a text is missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_place(
    store: Store, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    path = samples.lines(tmp_path / "beams.jsonl", [samples.BEAMS, samples.BEAMS | change])
    with pytest.raises(InvalidInput, match=said) as refused:
        import_file(store, path)
    assert "\n" not in str(refused.value) and str(refused.value).startswith("FILE: beams.jsonl, line 2")
    assert store.runs() == []


def test_scores_outside_the_scale_are_left_out_with_a_warning(store: Store, tmp_path: Path) -> None:
    odd = samples.BEAMS | {"scores": [[1.5, 0.8, 0.7], [1.5, 0.8, 0.7], [-2, 0.2, 0.3], [0.1, 0.05]]}
    record, tree = only(store, tmp_path / "odd.jsonl", odd)
    assert "3 scores of PRM not recorded are not between 0 and 1 and are left out" in (record.warning or "")
    assert "1.5 at odd.jsonl, line 1, scores[0][0]" in (record.warning or "")
    assert at(tree, "First 3 + 4 = 7.").scores == {}


@pytest.mark.parametrize("record", [samples.OPENR, samples.OPENR_PREFIXES], ids=["nested", "prefixes"])
def test_an_openr_tree(store: Store, tmp_path: Path, record: dict[str, Any]) -> None:
    run, tree = only(store, tmp_path / "tree.jsonl", record)
    judge = "Monte Carlo value"
    assert (run.strategy, run.judge, run.answer, run.correct) == ("mcts", judge, "4", True)
    assert tree.root.scores == {judge: 0.75}
    assert at(tree, "Add them.").scores == {judge: 0.5}
    assert [child.text.strip() for child in tree.children(at(tree, "Add them."))][:1] == ["\\boxed{4}"]
    assert at(tree, "\\boxed{4}").status == at(tree, "It is \\boxed{4}.").status == "finished"


def test_a_treequest_snapshot(store: Store, tmp_path: Path) -> None:
    (run,) = imported(store, samples.whole(tmp_path / "snapshot.json", samples.TREEQUEST))
    record, tree = run
    assert (record.problem, record.created_at) == ("Solve x - 4 = 0.", "2026-01-02T03:04:05+00:00")
    assert (record.strategy, record.policy.name) == ("treequest: AB-MCTS-A", "large-model, small-model")
    assert [(node.parent, node.scores.get("treequest score")) for node in tree.nodes[1:]] == [
        (0, 0.4),
        (0, 0.6),
        (2, 0.9),
    ]
    assert (record.answer, record.warning) == ("4", None)
    silent = samples.TREEQUEST | {"metadata": {"algorithm": "UCB"}}
    record, _ = only(store, tmp_path / "silent.json", silent)
    assert record.warning == "the snapshot does not say what was asked"


def test_a_treequest_snapshot_whose_parent_is_missing_is_refused(store: Store, tmp_path: Path) -> None:
    torn = samples.TREEQUEST | {"nodes": [samples.TREEQUEST["nodes"][0], samples.treequest_node(5, 4, 0.5, "x")]}
    with pytest.raises(InvalidInput, match=r"nodes\[1\]\.parent_id: there is no node 4 before it"):
        import_file(store, samples.lines(tmp_path / "torn.json", [torn]))


def test_an_mcts_reasoning_tree(store: Store, tmp_path: Path) -> None:
    record, tree = only(store, tmp_path / "tree.json", samples.MCTS)
    assert (record.strategy, record.params["n"], record.answer, record.correct) == ("mcts", 3, "42", None)
    assert [node.text for node in tree.nodes[1:]] == ["6 x 7 = 42", "6 + 7 = 13", "ANSWER: 42"]
    (backed,) = at(tree, "6 x 7 = 42").decisions
    assert (backed.action, backed.numbers) == ("backup", {"visits": 2, "mean": 0.8})
    assert at(tree, "6 + 7 = 13").scores == {"MCTS value": 0.2}


def test_mcts_values_that_are_sums_are_divided_by_the_visits(store: Store, tmp_path: Path) -> None:
    asked = "Question: What is 6 x 7?"
    older = {"root": samples.mcts_node(asked, 20, 8.0, [samples.mcts_node(f"{asked}\n\n42", 16, 8.0)])}
    record, tree = only(store, tmp_path / "older.json", older)
    assert (record.problem, tree.root.scores, tree[1].scores) == (
        "What is 6 x 7?", {"MCTS value": 0.4}, {"MCTS value": 0.5},
    )  # fmt: skip
    assert record.warning == "values above 1 are taken for sums, and divided by the visits"


def test_processbench_labels_are_a_human_judge(store: Store, tmp_path: Path) -> None:
    first, second = imported(store, samples.whole(tmp_path / "gsm8k.json", samples.PROCESSBENCH))
    record, tree = first
    assert (record.policy.name, record.judge) == ("Qwen2-7B-Instruct", "ProcessBench labels")
    assert [node.scores.get("ProcessBench labels") for node in tree.nodes[1:]] == [1.0, 0.0, None]
    assert {event.kind for event in store.events(record.id) if hasattr(event, "kind")} == {"human"}
    assert (record.answer, record.correct, record.graded_by) == ("8", False, "the file")
    record, tree = second
    assert [node.scores.get("ProcessBench labels") for node in tree.nodes[1:]] == [1.0, 1.0]
    assert (record.answer, record.correct, record.graded_by) == (None, True, "the file")


def test_a_prm800k_record(store: Store, tmp_path: Path) -> None:
    record, tree = only(store, tmp_path / "phase1.jsonl", samples.PRM800K)
    judge = "PRM800K labels"
    assert facts(tree, judge) == [
        (1, "Add.", 1.0, "kept", 1), (1, "Multiply.", 0.0, "pruned", 1),
        (2, "5 + 6 = 12", 0.0, "pruned", 1), (2, "5 + 6 = 11", None, "kept", 1),
        (3, "# Answer\n\n11", 1.0, "finished", 1), (3, "Hm.", 0.5, "pruned", 1),
    ]  # fmt: skip
    assert (at(tree, "5 + 6 = 11").origin, record.answer, record.correct) == ("human", "11", True)


def test_a_prm800k_record_of_phase_2_goes_on_after_the_first_error(store: Store, tmp_path: Path) -> None:
    record, tree = only(store, tmp_path / "phase2.jsonl", samples.PRM800K_PHASE_2)
    assert [node.text.strip() for node in tree.path(tree[tree.chosen or 0])] == ["Add.", "5 + 6 = 12", "# Answer\n\n12"]
    assert at(tree, "5 + 6 = 12").scores == {"PRM800K labels": 0.0}
    assert at(tree, "# Answer\n\n12").scores == {}
    assert (record.answer, record.correct) == ("12", False)


def test_a_solution_with_rating_probabilities(store: Store, tmp_path: Path) -> None:
    record, tree = only(store, tmp_path / "rated.json", samples.RATED)
    assert [node.scores for node in tree.nodes[1:]] == [
        {"probability of rating 1": 0.25},
        {"probability of rating 1": 0.75},
    ]
    assert (record.answer, record.correct, record.graded_by, record.reference_answer) == ("11", True, "the file", "11")


def test_thinkbooster_examples(store: Store, tmp_path: Path) -> None:
    beam, online = imported(store, samples.whole(tmp_path / "examples.json", samples.THINKBOOSTER))
    record, tree = beam
    assert (record.problem, record.reference_answer, record.policy.name) == ("What is 3 + 4?", "7", "some/model")
    assert (record.usage.generated_tokens, record.usage.wall_s, record.params["temperature"]) == (99, 1.5, 0.7)
    assert facts(tree, "some/prm") == [
        (1, "Add.", 0.9, "kept", 1), (1, "Multiply.", 0.2, "pruned", 1),
        (2, "\\boxed{7}", 0.95, "finished", 1), (2, "\\boxed{8}", 0.3, "finished", 1),
    ]  # fmt: skip
    assert (record.answer, record.correct, tree.chosen) == ("7", True, at(tree, "\\boxed{7}").id)
    record, tree = online
    assert [(node.parent, node.status) for node in tree.nodes[1:]] == [(0, "kept"), (0, "pruned"), (1, "finished")]
    assert all("confidence" not in node.scores for node in tree.nodes)


def test_a_candidate_whose_parent_is_missing_is_warned_of(store: Store, tmp_path: Path) -> None:
    lost = samples.thinkbooster_run("beam_search", [
        [samples.candidate("Add.", 1, 0, 0.9, "selected")], [samples.candidate("\\boxed{7}", 3, 77, 0.9, "selected")],
    ])  # fmt: skip
    payload = {"scenario": {"prompt": "What is 3 + 4?", "ground_truth": "7"}, "strategies": [lost]}
    record, _ = only(store, tmp_path / "lost.json", payload)
    assert (record.warning or "").startswith("1 candidate names a parent that is not in the file")


def test_a_thinkbooster_result_keeps_its_verdict(store: Store, tmp_path: Path) -> None:
    record, tree = only(store, tmp_path / "results.json", samples.THINKBOOSTER_RESULT)
    assert [next(iter(node.scores.values())) for node in tree.nodes[1:]] == [0.9, 0.4]
    assert (record.answer, record.correct, record.graded_by) == ("8", False, "the file")


def test_plain_records(store: Store, tmp_path: Path) -> None:
    completions, steps, response, labelled = imported(store, samples.lines(tmp_path / "plain.jsonl", samples.PLAIN))
    record, tree = completions
    assert (record.policy.name, record.judge, record.answer, record.correct) == ("mine", "judge", "3", True)
    assert facts(tree, "judge") == [
        (1, "1 + 2", 0.5, "open", 1), (1, "\\boxed{4}", 0.1, "finished", 1), (2, "\\boxed{3}", 0.9, "finished", 1),
    ]  # fmt: skip
    record, tree = steps
    assert [node.scores for node in tree.nodes[1:]] == [
        {"PRM not recorded": 0.6, "labels": 1.0}, {"PRM not recorded": 0.7, "labels": 0.0},
    ]  # fmt: skip
    assert (record.answer, record.correct) == ("4", None)
    assert (response[0].answer, response[0].correct, response[0].graded_by) == ("5", True, "the file")
    record, tree = labelled
    assert [node.scores for node in tree.nodes[1:]] == [{"labels": 1.0}, {"labels": 0.0}]


def test_steps_that_are_lines_are_found_by_their_number_of_scores(store: Store, tmp_path: Path) -> None:
    told = {"problem": "What is 1 + 2?", "completions": ["one\ntwo\n\\boxed{3}"], "scores": [[0.1, 0.2, 0.3]]}
    record, tree = only(store, tmp_path / "lines.jsonl", told)
    assert [node.depth for node in tree.nodes] == [0, 1, 2, 3] and record.warning is None
