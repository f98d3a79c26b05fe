"""The drawing of a tree and its picture: where the steps lie, what stands beside them, and that no text can do more."""

from __future__ import annotations

import io
import random
from xml.etree import ElementTree

import pytest
from PIL import Image
from support.harmful import HARM, harmful_run
from support.large_runs import large_run
from support.sample_runs import record_all, started, whole_run

from engine.search.events import Event, RunFinished, StepSampled, Usage
from engine.search.tree import Tree
from engine.store import Store
from engine.store.exporters import marks, render
from engine.store.exporters.picture import leaf_rows, picture
from engine.store.exporters.tidy import tidy_layout

SVG = "{http://www.w3.org/2000/svg}"


def grown(nodes: int, seed: int) -> list[list[int]]:
    """Children of a random tree, each later than its parent."""
    draw, children = random.Random(seed), [list[int]() for _ in range(nodes)]
    for node in range(1, nodes):
        children[draw.randrange(max(0, node - 40), node)].append(node)
    return children


def levels(children: list[list[int]]) -> list[list[int]]:
    rows = [[0]]
    while row := [child for node in rows[-1] for child in children[node]]:
        rows.append(row)
    return rows


@pytest.mark.parametrize("seed", range(5))
def test_a_tidy_tree_is_in_order_centred_and_nothing_overlaps(seed: int) -> None:
    children = grown(400, seed)
    at = tidy_layout(children)
    parent = {child: node for node, kids in enumerate(children) for child in kids}
    for row in levels(children):
        for left, right in zip(row, row[1:], strict=False):
            assert at[right] - at[left] >= (1 if parent[left] == parent[right] else 1.25) - 1e-9
    for node, kids in enumerate(children):
        if kids:
            assert at[node] == pytest.approx((at[kids[0]] + at[kids[-1]]) / 2)


def test_leaves_have_rows_of_their_own_in_the_order_of_drawing() -> None:
    children = grown(300, 7)
    rows = leaf_rows(children)
    leaves, waiting = list[int](), [0]
    while waiting:
        node = waiting.pop()
        waiting += reversed(children[node])
        leaves += [] if children[node] else [node]
    assert [rows[leaf] for leaf in leaves] == list(range(len(leaves)))


def test_the_deepest_chain_is_laid_out() -> None:
    chain = [[node + 1] for node in range(20_000)] + [[]]
    assert set(tidy_layout(chain)) == set(leaf_rows(chain)) == {0.0}


def drawn(store: Store, run_id: str) -> tuple[ElementTree.Element, Tree]:
    return ElementTree.fromstring(render("svg", *store.read(run_id))), store.tree(run_id)


def words(svg: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in svg.iter(f"{SVG}text")]


def test_every_step_has_its_mark_and_the_legend_names_what_occurs(store: Store) -> None:
    record_all(store, "r1", whole_run("r1"))
    store.flush()
    svg, tree = drawn(store, "r1")
    steps = svg.findall(f"{SVG}g")[0].findall(f"{SVG}g")
    assert len(steps) == len(tree)
    for step, node in zip(steps, tree.nodes, strict=True):
        marks_drawn = [child.tag.removeprefix(SVG) for child in step if child.tag != f"{SVG}title"]
        if node.parent is None:
            assert marks_drawn == ["rect"]
        elif node.status == "finished":
            assert marks_drawn == ["path"]
        else:
            assert marks_drawn == (["circle", "circle"] if node.status == "pruned" else ["circle"])
    said = words(svg)
    assert "What is 3 + 4?" in said
    assert any(
        line.startswith("Beam search, N = 4 · built-in, judged by built-in-prm · answer 7 (correct)") for line in said
    )
    for word in ("pruned", "finished", "chosen answer", "correct", "identical draws"):
        assert word in said
    assert "wrong" not in said and "written by hand" not in said
    assert any(line.startswith("x2 ") for line in said)


def test_harm_is_drawn_as_letters(store: Store) -> None:
    store.record(harmful_run("r1"), Usage(), "r1")
    store.flush()
    svg, _ = drawn(store, "r1")
    assert {element.tag.removeprefix(SVG) for element in svg.iter()} == {"svg", "title", "rect", "text", "g", "path"}
    names = {name for element in svg.iter() for name in element.attrib}
    assert not [name for name in names if name.startswith("on") or "href" in name]
    assert "${alert(1)}" in words(svg)
    assert any(line.startswith("<img src=x onerror=") for line in words(svg))
    text = render("svg", *store.read("r1")).decode()
    assert not [harm for harm in HARM if "<" in harm and harm in text]


@pytest.mark.parametrize("control", ["\x00", "\x1b", "\ufffe", "\u202e", "\x85"])
def test_no_character_breaks_the_drawing(store: Store, control: str) -> None:
    step = StepSampled(1, 1, 0, 1, f"a{control}b", None, 5, None, "step")
    log: list[Event] = [started("r1"), step, RunFinished("done")]
    store.record(log, Usage(), "r1")
    store.flush()
    svg, _ = drawn(store, "r1")
    assert {"ab", "a b", f"a{control}b", "a\ufffdb"} & set(words(svg))
    assert control not in render("svg", *store.read("r1")).decode()


def test_texts_give_way_when_the_tree_is_large() -> None:
    sizes = {nodes: picture(Tree.from_events(large_run("r1", nodes)), "built-in-prm") for nodes in (100, 2_000, 10_000)}
    assert sizes[100].texts and sizes[100].scores
    assert not sizes[2_000].texts and not sizes[10_000].scores
    assert all(laid.diameter >= 2.4 for laid in sizes.values())


def test_the_picture_shows_the_drawing_with_letters_whatever_fonts_there_are(store: Store) -> None:
    record_all(store, "r1", whole_run("r1"))
    store.flush()
    svg, _ = drawn(store, "r1")
    shown = Image.open(io.BytesIO(render("png", *store.read("r1"))))
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    assert shown.format == "PNG" and shown.size == (2 * width, 2 * height)
    title = shown.convert("L").crop((50, 40, 400, 80))
    assert title.getextrema()[0] < 80  # type: ignore[operator]
    assert shown.convert("L").getpixel((5, 5)) == 255


def test_a_picture_of_a_large_tree_keeps_its_bounds(store: Store) -> None:
    store.record(large_run("r1", 3_000), Usage(), "r1")
    store.flush()
    shown = Image.open(io.BytesIO(render("png", *store.read("r1"))))
    assert shown.width * shown.height <= 41_000_000 and max(shown.size) <= 16_001


@pytest.mark.parametrize(
    ("score", "written"),
    [
        (0.0, ".00"), (0.0003, ".0003"), (0.0000001, ".00"), (0.02, ".02"), (0.5, ".50"), (0.96, ".96"),
        (0.9996, ".9996"), (0.997, ".997"), (0.999999, "1.00"), (1.0, "1.00"),
    ],
)  # fmt: skip
def test_scores_near_both_ends_are_told_apart(score: float, written: str) -> None:
    assert marks.short_score(score) == written


def test_texts_fit_their_room() -> None:
    text = "We multiply both sides by seven " * 20
    for room in (0, 20, 90, 300, 1000):
        cut = marks.cut(text, 12, room)
        assert marks.wide(cut, 12) <= max(room, 12) + 1
        first, rest = marks.broken(text, 12, max(room, 90))
        assert f"{first} {rest}" == " ".join(text.split())
