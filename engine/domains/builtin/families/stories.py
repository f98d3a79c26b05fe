"""Word problems about money and people: shopping, sharing in a ratio, ages.

Each solution is a set of facts that may be stated in any order their needs allow. Names and goods vary; the numbers do
not depend on them.
"""

from __future__ import annotations

from random import Random

from engine.domains.builtin.families.base import Fact, Numbers, Sum, Words, all_at_once, fact_family, left_to_right

NAMES = ("Ann", "Ben", "Eva", "Tom", "Mia", "Leo")
GOODS = (("pens", "rulers", "cards"), ("books", "maps", "mugs"), ("lamps", "bags", "balls"))


def draw_shop(rng: Random, d: int) -> Numbers | None:
    """(paid or 0, coupon or 0, quantity, price, quantity, price, ...)."""
    kinds = {1: 1, 2: 2, 3: 2, 4: 3, 5: 3, 6: 3}[d]
    most, dearest = {1: (9, 20), 2: (9, 20), 3: (9, 30), 4: (9, 20), 5: (12, 30), 6: (19, 60)}[d]
    basket = [rng.randint(2, most if i % 2 == 0 else dearest) for i in range(2 * kinds)]
    total = sum(q * p for q, p in zip(basket[::2], basket[1::2], strict=True))
    coupon = rng.randint(3, 30) if d >= 5 and total > 30 else 0
    note = 10 if total < 50 else 50 if total < 300 else 100
    paid = 0 if d == 2 else (total // note + rng.randint(1, 2)) * note
    return (paid, coupon, *basket)


def shop_cost(numbers: Numbers) -> int:
    return sum(q * p for q, p in zip(numbers[2::2], numbers[3::2], strict=True)) - numbers[1]


def shop_ask(numbers: Numbers, words: Words) -> list[str]:
    paid, coupon = numbers[:2]
    who, *goods = words
    lines = [f"{q} {g} at {p} dollars" for q, p, g in zip(numbers[2::2], numbers[3::2], goods, strict=False)]
    basket = lines[0] if len(lines) == 1 else ", ".join(lines[:-1]) + " and " + lines[-1]
    ticket = f" A coupon takes off {coupon} dollars." if coupon else ""
    if not paid:
        return [f"{who} buys {basket} each. How much is that?", f"{who} buys {basket} each. What is the total?"]
    return [
        f"{who} buys {basket} each.{ticket} {who} pays with {paid} dollars. How much is the change?",
        f"{who} buys {basket} each and pays with {paid} dollars.{ticket} What is the change?",
    ]


def shop_facts(numbers: Numbers, words: Words) -> list[Fact]:
    paid, coupon = numbers[:2]
    facts, parts = [], []
    for q, p, good in zip(numbers[2::2], numbers[3::2], words[1:], strict=False):
        facts.append(Fact(good, f"The {good} cost {q} * {p} = {q * p} dollars."))
        parts.append((good, q * p))
    bought = range(len(parts))
    rest = [("", amount) for amount in (coupon, paid) if amount]
    whole = Sum((*((good, -cost if paid else cost) for good, cost in parts), *rest), "answer", owed=bool(paid))
    facts += left_to_right(whole, bought, "Together that is {} dollars.")
    total = sum(cost for _, cost in parts)
    if coupon:
        says = f"With the coupon it is {total} - {coupon} = {total - coupon} dollars."
        facts.append(whole.fact(says, bought, [len(parts)]))
    if paid:
        change = f"The change is {paid} - {total - coupon} = {paid - total + coupon} dollars."
        *spent, cash = range(len(whole.terms))
        facts.append(whole.fact(change, spent, [cash]))
    if len(parts) > 1:
        products = " + ".join(f"{q} * {p}" for q, p in zip(numbers[2::2], numbers[3::2], strict=True))
        says = f"{products} = {' + '.join(str(cost) for _, cost in parts)} = {total}."
        facts.append(Fact(whole.name(bought), says, rare=True))
    return facts + whole.any_order()


def shop_answer(numbers: Numbers) -> str:
    return str(numbers[0] - shop_cost(numbers) if numbers[0] else shop_cost(numbers))


SHOP = fact_family("shop", "Shopping", draw_shop, shop_ask, shop_facts, shop_answer, (NAMES, *GOODS))


def draw_share(rng: Random, d: int) -> Numbers | None:
    """(total, question, ratio...): question 0 asks for the first share, 1 for first minus second."""
    people = 2 if d <= 2 else 3
    most, unit = {1: (7, 25), 2: (9, 40), 3: (6, 20), 4: (9, 50), 5: (9, 40), 6: (15, 99)}[d]
    ratio = [rng.randint(1, most) for _ in range(people)]
    compare = d >= 5
    if len(set(ratio)) < people or (compare and ratio[0] < ratio[1]):
        return None
    return (sum(ratio) * rng.randint(3, unit), int(compare), *ratio)


def share_ask(numbers: Numbers, words: Words) -> list[str]:
    total, compare, *ratio = numbers
    people = words[: len(ratio)]
    names = ", ".join(people[:-1]) + " and " + people[-1]
    parts = ":".join(map(str, ratio))
    question = f"How much more does {people[0]} get than {people[1]}?" if compare else f"How much does {people[0]} get?"
    return [f"{names} share {total} dollars in the ratio {parts}. {question}",
            f"{total} dollars are shared by {names} in the ratio {parts}. {question}"]  # fmt: skip


def share_facts(numbers: Numbers, words: Words) -> list[Fact]:
    total, compare, *ratio = numbers
    parts = sum(ratio)
    unit = total // parts
    first, second = words[:2]
    a, b = ratio[0] * unit, ratio[1] * unit
    got = "first" if compare else "answer"
    facts = [
        *all_at_once(ratio, "parts", "There are", "parts"),
        Fact("unit", f"One part is {total} / {parts} = {unit} dollars.", ("parts",)),
        Fact(got, f"{first} gets {ratio[0]} * {unit} = {a} dollars.", ("unit",)),
        Fact(got, f"{first} gets {total} * {ratio[0]} / {parts} = {a} dollars.", ("parts",), rare=True),
    ]
    if compare:
        gap = ratio[0] - ratio[1]
        facts += [
            Fact("second", f"{second} gets {ratio[1]} * {unit} = {b} dollars.", ("unit",)),
            Fact("second", f"{second} gets {total} * {ratio[1]} / {parts} = {b} dollars.", ("parts",), rare=True),
            Fact("answer", f"The difference is {a} - {b} = {a - b} dollars.", ("first", "second")),
            Fact("gap", f"The difference is {ratio[0]} - {ratio[1]} = {gap} parts.", (), rare=True),
            Fact("answer", f"That is {gap} * {unit} = {a - b} dollars.", ("gap", "unit"), rare=True),
        ]
    return facts


def share_answer(numbers: Numbers) -> str:
    total, compare, *ratio = numbers
    unit = total // sum(ratio)
    return str((ratio[0] - ratio[1] if compare else ratio[0]) * unit)


SHARE = fact_family("share", "Sharing in a ratio", draw_share, share_ask, share_facts, share_answer,
                    (NAMES[:2], NAMES[2:4], NAMES[4:]))  # fmt: skip


def draw_age(rng: Random, d: int) -> Numbers | None:
    """(times, younger's age now, years until the ages are added, years of the final question or 0)."""
    times = rng.randint(2, {1: 6, 2: 6, 3: 6, 4: 8, 5: 9, 6: 9}[d])
    younger = rng.randint(3, {1: 40, 2: 20, 3: 20, 4: 20, 5: 20, 6: 30}[d])
    years = 0 if d == 1 else rng.randint(2, {2: 9, 3: 9, 4: 19, 5: 19, 6: 39}[d])
    later = rng.randint(2, 29) if d >= 5 else 0
    return None if times * younger > (99 if d < 6 else 150) else (times, younger, years, later)


def age_ask(numbers: Numbers, words: Words) -> list[str]:
    times, younger, years, later = numbers
    old, young = words
    total = (times + 1) * younger + 2 * years
    when = f"In {years} years their ages will add up to {total}." if years else f"Their ages add up to {total}."
    question = f"How old will {old} be in {later} years?" if later else f"How old is {old} now?"
    return [f"{old} is {times} times as old as {young}. {when} {question}",
            f"{young} is younger than {old}, who is {times} times as old. {when} {question}"]  # fmt: skip


def age_facts(numbers: Numbers, words: Words) -> list[Fact]:
    times, younger, years, later = numbers
    old, young = words
    now = (times + 1) * younger
    facts: list[Fact] = []
    needs: tuple[str, ...] = ("parts",)
    if years:
        facts += [
            Fact("growth", f"In {years} years they gain 2 * {years} = {2 * years} years."),
            Fact("now", f"Now their ages add up to {now + 2 * years} - {2 * years} = {now}.", ("growth",)),
            Fact("half", f"After one {now + 2 * years} - {years} = {now + years}.", (), rare=True),
            Fact("now", f"After both {now + years} - {years} = {now}.", ("half",), rare=True),
        ]
        needs = ("now", "parts")
    age = times * younger
    facts += [
        Fact("parts", f"There are {times} + 1 = {times + 1} parts."),
        Fact("young", f"{young} is {now} / {times + 1} = {younger} years old.", needs),
        Fact("old" if later else "answer", f"{old} is {times} * {younger} = {age} years old.", ("young",)),
        Fact("old" if later else "answer", f"{old} is {now} - {younger} = {age} years old.", ("young",), rare=True),
    ]
    if later:
        facts.append(Fact("answer", f"In {later} years {old} will be {age} + {later} = {age + later}.", ("old",)))
    return facts


def age_answer(numbers: Numbers) -> str:
    times, younger, _, later = numbers
    return str(times * younger + later)


AGE = fact_family("age", "Ages", draw_age, age_ask, age_facts, age_answer, (NAMES[:3], NAMES[3:]))
