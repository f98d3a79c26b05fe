"""Distance and speed, and percent changes: chains of products, sums and quotients.

All results are whole numbers by construction.
"""

from __future__ import annotations

from random import Random

from engine.domains.builtin.families.base import (
    DONE,
    Fact,
    Family,
    Move,
    Numbers,
    State,
    Words,
    all_at_once,
    fact_family,
    sum_facts,
)

VEHICLES = ("car", "bus", "train", "truck")
ORDINALS = ("first", "second", "third")


def draw_dist(rng: Random, d: int) -> Numbers | None:
    """(1 if the average speed is asked, hours, speed, hours, speed, ...)."""
    legs = 3 if d >= 4 else 2
    average = d in (3, 5, 6)
    most_hours, step, fastest = {
        1: (6, 10, 9), 2: (9, 1, 90), 3: (6, 5, 18), 4: (9, 1, 90), 5: (6, 5, 18), 6: (9, 1, 90),
    }[d]  # fmt: skip
    numbers: list[int] = []
    for _ in range(legs):
        numbers += [rng.randint(2, most_hours), step * rng.randint(max(2, 20 // step), fastest)]
    total = sum(h * v for h, v in zip(numbers[::2], numbers[1::2], strict=True))
    if len(set(numbers[1::2])) < legs or (average and total % sum(numbers[::2])):
        return None
    return (int(average), *numbers)


def dist_ask(numbers: Numbers, words: Words) -> list[str]:
    average, *legs = numbers
    parts = [f"{h} hours at {v} km/h" for h, v in zip(legs[::2], legs[1::2], strict=True)]
    trip = ", then ".join(parts)
    question = "What is its average speed in km/h?" if average else "How many km does it travel?"
    return [f"A {words[0]} travels {trip}. {question}", f"A {words[0]} goes for {trip}. {question}"]


def dist_facts(numbers: Numbers, words: Words) -> list[Fact]:
    average, *legs = numbers
    hours, speeds = legs[::2], legs[1::2]
    parts = [(ORDINALS[i], h * v) for i, (h, v) in enumerate(zip(hours, speeds, strict=True))]
    facts = [
        Fact(name, f"The {name} part is {h} * {v} = {km} km.")
        for (name, km), h, v in zip(parts, hours, speeds, strict=True)
    ]
    total = "total" if average else "answer"
    facts += sum_facts(parts, total, "Together that is {} km.")
    km = sum(km for _, km in parts)
    products = " + ".join(f"{h} * {v}" for h, v in zip(hours, speeds, strict=True))
    facts.append(Fact(total, f"{products} = {' + '.join(str(part) for _, part in parts)} = {km}.", rare=True))
    if average:
        time = sum(hours)
        facts += all_at_once(hours, "time", "The time is", "hours")
        facts.append(Fact("answer", f"The average speed is {km} / {time} = {km // time} km/h.", ("total", "time")))
    return facts


def dist_answer(numbers: Numbers) -> str:
    average, *legs = numbers
    km = sum(h * v for h, v in zip(legs[::2], legs[1::2], strict=True))
    return str(km // sum(legs[::2]) if average else km)


DIST = fact_family("dist", "Distance and speed", draw_dist, dist_ask, dist_facts, dist_answer, (VEHICLES,))


def draw_percent(rng: Random, d: int) -> Numbers | None:
    """(price, signed percent, signed percent, ...); every price on the way is whole."""
    changes = {1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 6: 3}[d]
    grid, unit, most = {
        1: (10, 10, 30), 2: (5, 20, 40), 3: (10, 20, 40), 4: (5, 20, 60), 5: (10, 50, 40), 6: (5, 100, 30),
    }[d]  # fmt: skip
    price = unit * rng.randint(2, most)
    percents = [rng.choice((1, -1)) * grid * rng.randint(1, 60 // grid) for _ in range(changes)]
    running = price
    for percent in percents:
        if running * percent % 100:
            return None
        running += running * percent // 100
    return (price, *percents)


def percent_ask(numbers: Numbers, words: Words) -> list[str]:
    price, *percents = numbers
    verbs = [f"{'rises' if p > 0 else 'falls'} by {abs(p)}%" for p in percents]
    story = ", then ".join(verbs)
    return [f"A {words[0]} costs {price} dollars. Its price {story}. What is the new price?",
            f"The price of a {words[0]} is {price} dollars. It {story}. How much is it now?"]  # fmt: skip


def percent_moves(numbers: Numbers, words: Words, state: State) -> list[Move]:
    """State: (price so far, changes made, amount of the next change or None while it is unknown)."""
    assert isinstance(state, tuple)
    price, made, amount = state
    percent = numbers[1 + made]
    sign = "+" if percent > 0 else "-"
    after = price + price * percent // 100
    leads_to: State = DONE if made + 2 == len(numbers) else (after, made + 1, None)
    add = Move(f"The new price is {price} {sign} {abs(after - price)} = {after} dollars.", leads_to)
    find = f"{abs(percent)}% of {price} is {price} * {abs(percent)} / 100 = {abs(after - price)}."
    factor = 100 + percent
    short = [
        Move(f"The new price is {price} * {share} = {after}.", leads_to, rare=True)
        for share in (f"{factor} / 100", f"{factor / 100:g}")
    ]
    decimal = f"{price} * {abs(percent) / 100:g} = {abs(after - price)}."
    known = (price, made, after - price)
    if amount is None:
        return [Move(find, known), Move(decimal, known, rare=True), *short]
    return [add, *short, Move(find, state, rare=True)]


def percent_answer(numbers: Numbers) -> str:
    price, *percents = numbers
    for percent in percents:
        price += price * percent // 100
    return str(price)


PERCENT = Family(
    "percent",
    "Percent changes",
    draw_percent,
    percent_ask,
    start=lambda numbers: (numbers[0], 0, None),
    moves=percent_moves,
    answer=percent_answer,
    words=(("coat", "bike", "phone", "table"),),
)
