"""Whether two answers mean the same, whichever of them is the reference: our own cases, and collected public ones."""

from __future__ import annotations

import json

import pytest
from support.places import SHARED_DATA

from engine.domains.maths.compare import Comparison, judge

CASES = [
    (r"\leftarrow", r"\rightarrow", False),
    (r"\leftarrow", r"\leftarrow", True),
    (r"\text{left}", r"\text{right}", False),
    ("x>2", r"(2,\infty)", True),
    (r"(2,\infty)", "x>2", True),
    (r"x \ge 2", r"[2,\infty)", True),
    (r"x<1 \text{ or } x>3", r"(-\infty,1)\cup(3,\infty)", True),
    (r"(3,\infty)\cup(-\infty,1)", r"x<1 \text{ or } x>3", True),
    (r"x \neq 0", r"(-\infty,0)\cup(0,\infty)", True),
    (r"-3 \le x < 5", "[-3,5)", True),
    (r"5 > x \geq -3", "[-3,5)", True),
    ("[-3,5]", "[-3,5)", False),
    ("(1,2)", "(2,1)", False),
    ("(1,2)", "(1,2)", True),
    ("(1, 2)", "1,2", True),
    ("(2, 1)", "1,2", False),
    (r"2 \frac{1}{3}", "7/3", True),
    (r"2\tfrac13", r"\frac{7}{3}", True),
    ("2 1/3", "2.333", False),
    ("-1 1/2", "-1.5", True),
    (r"30^\circ", "30", True),
    (r"30^{\circ}", "30 degrees", True),
    ("30°", r"30\text{ degrees}", True),
    (r"\frac{\pi}{6}", r"30^\circ", False),
    ("1,234,567", "1234567", True),
    ("1,234", "1234", True),
    ("1234.5", "1,234.5", True),
    ("x = 1,234", "1234", True),
    ("12,34", "1234", False),
    ("$1,000", "1000", True),
    (r"\$1{,}000", "1000", True),
    (r"25\%", "25", True),
    (r"25\%", r"\frac14", True),
    (r"25\%", "0.25", True),
    ("25", "0.25", False),
    (r"25\%", "2.5", False),
    ("150%", "1.5", True),
    ("10^{-9}", "10^{-10}", False),
    ("0.0000001", "0.0000002", False),
    ("1.0000000001", "1", False),
    (r"\frac{1}{1000000}", "0.000001", True),
    ("2^{-100}", "2^{-101}", False),
    ("10^{-20}", "1e-20", True),
    ("1011_2", "1011_{2}", True),
    ("1011_2", "1011_3", False),
    ("1011_2", "11", False),
    ("5 m", "5 km", False),
    (r"5\text{ km}", r"5000\text{ m}", True),
    (r"5\text{ cm}^2", r"5\text{ cm}", False),
    ("2 hours", "120 minutes", True),
    ("2 hours", "2 minutes", False),
    (r"60\text{ mph}", "60", True),
    (r"12 \text{ square units}", "12", True),
    ("5 apples", "5", True),
    ("5 apples", "5 oranges", False),
    ("50 cents", "0.5 dollars", True),
    (r"\$0.50", "50 cents", True),
    (r"36 \text{ km/h}", r"10 \text{ m/s}", True),
    ("y = 3x + 2", "y=2+3x", True),
    ("2x+4y=6", "x+2y=3", True),
    ("x+2y=3", "x+2y=4", False),
    ("x=5", "x=6", False),
    (r"\frac{a}{b}", "a/b", True),
    ("(x+1)^2", "x^2+2x+1", True),
    ("(x+1)(x-1)", "x^2-1", True),
    ("x^2-1", "x^2+1", False),
    ("2xy", "xy2", True),
    (r"\sqrt{8}", r"2\sqrt{2}", True),
    (r"3\sqrt{2}", r"\sqrt{18}", True),
    (r"\sin^2 x+\cos^2 x", "1", True),
    ("i", "1", False),
    ("3+4i", "4i+3", True),
    ("3+4i", "3-4i", False),
    (r"e^{i\pi}", "-1", True),
    (r"\text{Yes}", "yes", True),
    ("yes", "no", False),
    ("No", "no", True),
    (r"\text{(C)}", "C", True),
    ("(C)", "C", True),
    ("C", "c", False),
    ("B) 12", "B", True),
    (r"\text{Monday}", "monday", True),
    (r"\text{Monday}", "Tuesday", False),
    ("{1,2}", r"\{1,2\}", True),
    (r"\{1,2\}", r"\{1,2,3\}", False),
    ("1 and 2", "2, 1", True),
    (r"1, 2 \text{ and } 3", "1,2,3", True),
    ("a=1, b=2", "b=2, a=1", True),
    ("a=1,b=2", "a=2,b=1", False),
    ("(1,2),(3,4)", "(3,4),(1,2)", True),
    ("(1,2),(3,4)", "(2,1),(4,3)", False),
    (r"\pm\sqrt{3}", r"\sqrt{3},-\sqrt{3}", True),
    (r"x=\pm 2", "2,-2", True),
    (r"x = \pm 2", "x=2", False),
    (r"1\pm i", "1+i, 1-i", True),
    ("0.1666...", "1/6", False),
    (r"0.1\overline{6}", "1/6", True),
    (r"0.\bar{6}", "2/3", True),
    (r"0.\overline{142857}", "1/7", True),
    (r"\binom{5}{2}", "10", True),
    ("10!", "3628800", True),
    ("2^{10}", "1024", True),
    ("100!", "99!", False),
    (r"\begin{bmatrix}1&2\\3&4\end{bmatrix}", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", True),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}1&2\end{pmatrix}", False),
    ("3:2", "3/2", True),
    ("3:2", "6:4", True),
    ("3:2", "2:3", False),
    ("1:2:3", "2:4:6", True),
    (r"\infty", r"\infty", True),
    (r"\infty", r"-\infty", False),
    (r"-\infty", r"\infty", False),
    (r"\frac{1}{2}x", r"\frac{x}{2}", True),
    (r"\log_{10} 100", "2", True),
    (r"\ln e", "1", True),
    ("7", "7.0", True),
    ("7", "7.", True),
    (".5", "0.5", True),
    ("+5", "5", True),
    ("-0", "0", True),
    ("5 ", "5", True),
    (r"\boxed{5}", "5", True),
    ("$5$", "5", True),
    (r"\(5\)", "5", True),
    ("**5**", "5", True),
    (r"5\,", "5", True),
    ("", "5", False),
    ("x", "y", False),
    (r"\frac{", "5", False),
    ('__import__("os")', "5", False),
    ("12", r"12 \text{ ways}", True),
    (r"12\text{ inches}", r"1\text{ foot}", True),
    (r"2.5\text{ ft}", "30 in", True),
    (r"3\text{ L}", "3000 mL", True),
    (r"1/2 \text{ hour}", "30 minutes", True),
    (r"\frac{\sqrt{3}}{2}", "0.866025403784", False),
    (r"\pi", "3.14159265358979", False),
    ("22/7", r"\pi", False),
    (r"8\pi", r"8 \pi \text{ cm}", True),
    (r"16\pi", "16pi", True),
    (r"x \in [0,1]", "[0,1]", True),
    ("[0,1]", r"0 \le x \le 1", True),
    ("(0,1)", "[0,1]", False),
    (r"\mathbb{R}", r"(-\infty,\infty)", True),
    ("all real numbers", r"\mathbb{R}", True),
    ("f(x)=2x", "2x", True),
    ("f(x) = 2x", "g(x) = 2x", False),
    ("2^{2005}", "2^{2006}", False),
    ("a", "A", False),
    ("6", "six", False),
    ("3/4", r"75\%", True),
    ("7,5", "5,7", True),
    (r"10\%", "0.1", True),
    (r"10\%", r"10\%", True),
    ("10%", "0.1%", False),
    ("1000", "1{,}000.0", True),
    (r"1\,000\,000", "1000000", True),
    (r"6.02\times 10^{23}", "6.02e23", True),
    (r"5\sqrt{5}", r"5 \cdot \sqrt{5}", True),
    (r"\frac{x+2}{7}", r"\frac{2+x}{7}", True),
    (r"11\text{:}30", "11:30", True),
    (r"\text{June 6}", "June 6", True),
    ("p - q", "q - p", False),
    (r"\frac{3}{56}", "3/56", True),
    (r"-\frac{1}{2}", r"\frac{-1}{2}", True),
    (r"\frac{-1}{2}", "-0.5", True),
    (r"\dfrac{17}{50}", r"\frac{17}{50}", True),
    ("6 - 5i", "6-5i", True),
    (r"\cot x", r"\frac{1}{\tan x}", True),
    (r"5.5 \times 10^3", "5500", True),
    (r"90^\circ", r"90^{\circ}", True),
    (r"2k\pi", r"2\pi k", True),
    (r"1 \le x \le 2", "[1,2]", True),
    (r"y \geq 1", r"[1,\infty)", True),
    (r"\text{odd}", "even", False),
    ("0", r"0^\circ", True),
    (r"x = 5 \text{ or } x = -5", r"\pm 5", True),
    ("(−∞, 3]", "x≤3", True),
    ("1.5e-3", "0.0015", True),
    ("3 1/2 hours", "3.5 hours", True),
    (r"\frac{7}{2}\text{ hours}", "3.5", True),
    ("$12.50", "12.5", True),
    ("12.5", r"\$12.50", True),
    ("5 %", r"5\%", True),
    ("10 feet", "10 ft", True),
    ("3 inches", "3", True),
    ("120 km per hour", "120 km/h", True),
    ("sqrt(2)/2", r"\frac{\sqrt{2}}{2}", True),
    ("2sqrt3", r"2\sqrt{3}", True),
    ("√2", r"\sqrt{2}", True),
    ("π/4", r"\frac{\pi}{4}", True),
    ("x^{2}+1", "x**2+1", True),
    (r"5\cdot 10^{3}", "5000", True),
    (r"0.\overline{12}", r"\frac{4}{33}", True),
    ("-3/4", r"\frac{3}{-4}", True),
    ("1:3", "3:1", False),
    (r"25\text{ cents}", r"\$0.25", True),
    (r"100\%", "1", True),
    ("7th", "7", True),
    ("(a+b)^2", "a^2+b^2+2ab", True),
    (r"\log_3 x", r"\frac{\ln x}{\ln 3}", True),
    (r"\text{None}", "none", True),
    (r"\frac{3}{4} \text{ cup}", "0.75", True),
    ("1,2,3,4", "1,2,3", False),
    ("1, 1, 2", "1, 2, 2", False),
    ("x=1,y=2", "y=2,x=1", True),
    ("(1,2)", "(1, 2.0)", True),
    ("[1,2]", "(1,2)", False),
    (r"3\sqrt{5}", r"\sqrt{45}", True),
    (r"3\sqrt{5}", "6.7082", False),
    (r"2\text{ m}", r"200\text{ cm}", True),
    (r"2\text{ m}^2", r"20000\text{ cm}^2", True),
    ("5 dollars", r"\$5", True),
    ("5 dollars", "5 euros", False),
    (r"12\text{ hours}", r"12\text{ days}", False),
    ("1/3", "33.3%", False),
    ("1/3", r"33\frac{1}{3}\%", True),
    ("0.05", "5%", True),
    ("5", r"5\text{ percent}", True),
    (r"\text{(A)}", "A", True),
    ("A", r"\textbf{(A)}", True),
    (r"\textbf{(A)}\ 5", "A", True),
    ("B", r"\text{B. } 7", True),
    ("True", "true", True),
    ("2^{10}", "1025", False),
    ("10^{-12}", "0", False),
    ("1e-9", "0", False),
    ("0.999999999999", "1", False),
    ("x^2", "x^{2.0}", True),
    (r"\sin 30^\circ", r"\frac12", True),
    (r"\cos(60°)", "0.5", True),
    (r"\tan^{-1}(1)", r"\frac{\pi}{4}", True),
    (r"\arctan 1", r"\pi/4", True),
    ("n(n+1)/2", r"\frac{n^2+n}{2}", True),
    ("2n", "n2", True),
    ("f(x)=x^2", "x^2", True),
    ("y=x^2", "x^2=y", True),
    ("x^2+y^2=4", "y^2+x^2=4", True),
    ("x^2+y^2=4", "x^2+y^2=2", False),
    ("y = 2x", "2x - y = 0", True),
    ("y=2x", "y=3x", False),
    ("x>0", r"x\geq 0", False),
    ("x>0", "x<0", False),
    ("0<x", "x>0", True),
    (r"x\in\mathbb{R}", r"\mathbb{R}", True),
    (r"\mathbb{Z}", r"\mathbb{R}", False),
    ("no solution", r"\emptyset", True),
    (r"\text{no solution}", "No solutions", True),
    ("undefined", r"\text{undefined}", True),
    ("3 and 5", "5 and 3", True),
    (r"-1 \le x < 2", "[-1,2)", True),
    (r"x<-1\text{ or }x\ge 2", r"(-\infty,-1)\cup[2,\infty)", True),
    (r"(-\infty,\infty)", r"x\in\mathbb{R}", True),
    (r"1.0 \times 10^{-3}", "0.001", True),
    (r"\frac{22}{7}", r"3\frac{1}{7}", True),
    (r"3\frac17", "22/7", True),
    (r"-2\frac{1}{2}", "-2.5", True),
    (r"-2\frac{1}{2}", "-1.5", False),
    (r"1\frac{1}{2}", "1/2", False),
    (r"1 \frac{1}{2}", r"\frac{3}{2}", True),
    ("3x^2", "3x^{2}", True),
    (r"\left(\frac{1}{2}, -3\right)", "(0.5,-3)", True),
    (r"\$1.50", "1.5 dollars", True),
    (r"5\,000", "5000", True),
    ("5 000 000", "5000000", True),
    ("1,000.5", "1000.5", True),
    (".75", "3/4", True),
    ("75 cents", r"\frac{3}{4}\text{ dollars}", True),
    (r"\sqrt{-4}", "2i", True),
    ("(2+3i)(2-3i)", "13", True),
    ("i^2", "-1", True),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{bmatrix}1\\2\end{bmatrix}", True),
]

COLLECTED = SHARED_DATA / "grading" / "cases.jsonl"
MATH500 = SHARED_DATA / "problems" / "math500.jsonl"


@pytest.mark.parametrize(("one", "other", "equal"), CASES)
def test_what_is_equal_is_equal_both_ways_round(one: str, other: str, equal: bool) -> None:
    assert judge(one, other)[0] is equal
    assert judge(other, one)[0] is equal


@pytest.mark.parametrize(
    ("gold", "answer", "verdict"),
    [
        ("42", " 42 ", (True, "string")),
        (r"\frac{1}{2}", "0.5", (True, "number")),
        ("0.5", "0.51", (False, "number")),
        ("x+1", "1+x", (True, "value")),
        (r"\{1,2\}", r"\{2,1\}", (True, "list")),
        ("x > 2", r"(2,\infty)", (True, "interval")),
        ("x+2y=3", "2x+4y=6", (True, "equation")),
        (r"\text{east}", "East", (True, "words")),
        ("42", "no idea", (False, "value")),
        ("42", r"\frac{", (False, "words")),
        ("42", "'); DROP TABLE runs; --", (False, "value")),
        ("42", "__import__('os').system('true')", (False, "value")),
        ("42", "<script>\n\ud83d\ude00\x00</script>", (False, "value")),
        ("9^{9^{9^{9}}}", "9^{9^{9^{8}}}", (None, "undecided")),
        ("9^{9^{9^{9}}}", "9^{9^{9^{9}}}", (True, "string")),
    ],
)
def test_the_rule_that_decides_is_named(gold: str, answer: str, verdict: tuple[bool | None, str]) -> None:
    assert judge(gold, answer) == verdict


#: What a model may write when it has lost its way, and what people try.
ODD = (
    "x = n \\in [1,2]", r"\begin{pmatrix}\end{pmatrix}", r"\frac{}{}", "(((", r"\{", "{", r"\pm", "=", "a=b=c", "<",
    "x<", "1<2", "x<y<z", r"\in", "5_", "5^", "%", "$", "()", "(,)", "[ , ]", r"\cup", r"\text{}", r"\sqrt",
    "sqrt(", r"\infty,\infty", "1:0", "::", "\x00", r"\sum", r"\int", r"\log_0 1", "0^0", "0/0", r"\tan 90^\circ",
    r"\binom{1}{-1}", "(-1)!", "x!", "(" * 300 + ")" * 300, "{" * 200, r"\frac{" * 100, r"x\ne", "|", "f(", "A)",
    "5 degrees degrees", r"0.\overline{}", "1.2.3", "1,,2", ",", "1 or", r"\gcd(4,6)", r"x \mod 3", r"\lfloor", "-",
    "+-5", "5-", "2/",
)  # fmt: skip


@pytest.mark.parametrize("answer", ODD)
def test_whatever_is_written_gets_a_verdict(answer: str) -> None:
    for other in ("1", "x+1", r"\{1,2\}", "(0,1)", "east", *ODD[:6]):
        assert judge(answer, other)[0] in (True, False, None)
        assert judge(other, answer)[0] in (True, False, None)
    assert judge(answer, answer) == (True, "string")
    assert Comparison("x+1").take(answer)["group"] == 0


def test_right_and_wrong_never_share_a_group() -> None:
    """50 % is 50 as well as 0.5, which are not each other."""
    comparison = Comparison("0.5")
    verdicts = [comparison.take(answer) for answer in ("50", r"50\%", "0.5", r"\frac{1}{2}")]
    assert [verdict["correct"] for verdict in verdicts] == [False, True, True, True]
    assert [verdict["group"] for verdict in verdicts] == [0, 1, 2, 2]


def test_each_answer_is_compared_with_few_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """256 different formulas: the work grows with their number, not with its square."""
    from engine.domains.maths import compare

    asked = 0

    def counting(gold: str, answer: str) -> tuple[bool | None, str]:
        nonlocal asked
        asked += 1
        return judge(gold, answer)

    monkeypatch.setattr(compare, "judge", counting)
    comparison = Comparison("x")
    for k in range(256):
        comparison.take(rf"\frac{{{k} + x}}{{\sqrt{{{k + 2}}}}}")
    assert asked == 256


@pytest.mark.skipif(not COLLECTED.is_file(), reason="the collected grading cases are not beside this checkout")
def test_the_collected_cases() -> None:
    cases = [json.loads(line) for line in COLLECTED.read_text(encoding="utf-8").splitlines()]
    assert len(cases) > 100
    assert [case for case in cases if judge(case["reference"], case["answer"])[0] is not case["equal"]] == []


@pytest.mark.skipif(not MATH500.is_file(), reason="the MATH-500 answers are not beside this checkout")
@pytest.mark.parametrize("shape", ["{}", r"\left( {} \right)", "${}$", r"\boxed{{{}}}", "**{}**"])
def test_every_reference_answer_of_math500_equals_itself_in_other_words(shape: str) -> None:
    answers = [json.loads(line)["answer"] for line in MATH500.read_text(encoding="utf-8").splitlines()][::4]
    unequal = [answer for answer in answers if judge(answer, shape.format(answer))[0] is not True]
    assert unequal == ([] if "left" not in shape else [each for each in answers if "," in each and each in unequal])
