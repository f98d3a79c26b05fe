"""What a public server lets a visitor do, keeps, and refuses, in words: made from the settings it runs with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from engine.models.catalogue.catalogue import Catalogue
from engine.models.catalogue.fit import parameters
from engine.models.local.memory import cores, gigabytes, total_ram
from engine.runs.host import Host
from engine.runs.limits import LIMITS
from engine.store.version import product_version
from tts_ui.web.public.opening import Opening, duration
from tts_ui.words import numbers
from tts_ui.words.interface import NAME, say

#: Models that are named; more are counted.
_NAMED = 40


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: paragraphs and lists of plain text, and rows of what and how much."""

    title: str
    says: Sequence[str] = ()
    points: Sequence[str] = ()
    rows: Sequence[tuple[str, str]] = ()


def sections(host: Host, opening: Opening, *, signs_in: bool) -> list[Section]:
    """The whole page; the ceilings are those of this moment."""
    asks = [] if opening.samples else [_asking(host)]
    return [*asks, *([_samples()] if opening.samples else []), _kept(opening), _seen(opening, signs_in=signs_in),
            _stored(opening), _refused(opening), _machine(host.catalogue, opening)]  # fmt: skip


def page(found: Iterable[Section]) -> str:
    """The sections as HTML."""
    return "".join(map(_html, found))


def _html(section: Section) -> str:
    says = "".join(f"<p>{escape(text)}</p>" for text in section.says)
    points = "".join(f"<li>{escape(text)}</li>" for text in section.points)
    rows = "".join(
        f'<tr><th scope="row">{escape(what)}</th><td>{escape(much)}</td></tr>' for what, much in section.rows
    )
    table = f"<table>{rows}</table>" if rows else ""
    return f"<section><h2>{escape(section.title)}</h2>{says}{table}{f'<ul>{points}</ul>' if points else ''}</section>"


def _asking(host: Host) -> Section:
    limits = host.limits
    rows = [
        (parameter.help, _amount(getattr(limits, name), parameter.unit, parameter.unset))
        for name, parameter in LIMITS.items()
    ]
    closed = [say("limits.asking_closed", why=host.closed)] if host.closed else []
    asking = f"{say('limits.asking_says')} {_watched(host.unwatched_limit_s)}".rstrip()
    return Section(say("limits.asking"), [*closed, asking], rows=rows)


def _watched(limit_s: float | None) -> str:
    if limit_s is None:
        return ""
    if limit_s == 60:
        return say("limits.watched_minute")
    return say("limits.watched", n=round(limit_s), seconds=f"{limit_s:g}")


def _samples() -> Section:
    return Section(say("limits.samples"), [say("limits.samples_say")])


def _kept(opening: Opening) -> Section:
    if opening.samples:
        return Section(say("limits.kept"), [say("limits.kept_samples")])
    ever, keep_s = say("limits.kept_ever"), opening.keep_s
    said = ever if keep_s is None else say("limits.kept_for", time=duration(keep_s))
    return Section(say("limits.kept"), [said, say("limits.kept_deleted")])


def _seen(opening: Opening, *, signs_in: bool) -> Section:
    owner = [say("limits.seen_owner")] if signs_in else []
    others = [say("limits.seen_list"), say("limits.seen_address"), say("limits.seen_change")]
    return Section(
        say("limits.seen"), points=[*([] if opening.samples else others), *owner, say("limits.seen_care")]
    )  # fmt: skip


def _stored(opening: Opening) -> Section:
    runs = [] if opening.samples else [say("limits.stored_hash"), say("limits.stored_typed")]
    return Section(
        say("limits.stored"), [say("limits.stored_none")],
        [say("limits.stored_cookie"), say("limits.stored_choices"), *runs, say("limits.stored_names")],
    )  # fmt: skip


def _refused(opening: Opening) -> Section:
    if opening.samples:
        points = ["limits.refused_uploads", "limits.refused_computing", "limits.refused_why"]
    else:
        points = ["limits.refused_uploads", "limits.refused_files", "limits.refused_models", "limits.refused_why"]
    return Section(say("limits.refused"), points=list(map(say, points)))


def _machine(catalogue: Catalogue, opening: Opening) -> Section:
    about = f"{NAME} {product_version()}"
    if opening.samples:
        return Section(say("limits.machine"), [say("limits.machine_samples", program=about)])
    pairs = list(catalogue.pairs.values())
    rows = [(pair.title or pair.name, _models(catalogue, pair.name)) for pair in pairs[:_NAMED]]
    more = [say("limits.more_pairs", n=len(pairs) - _NAMED)] if len(pairs) > _NAMED else []
    machine = say("limits.machine_says", n=cores(), program=about, memory=gigabytes(total_ram()))
    return Section(say("limits.machine_models"), [machine, *more], rows=rows)


def _models(catalogue: Catalogue, pair: str) -> str:
    policy, judge = catalogue.entry(pair).policy, catalogue.scorer(pair)
    said = [say("limits.policy", name=policy.label, size=_size(parameters(catalogue, policy)))]
    if judge:
        said.append(say("limits.judge", name=judge.label, size=_size(parameters(catalogue, judge))))
    return ", ".join(said)


def _size(count: float | None) -> str:
    if not count:
        return ""
    return f" ({count / 1e9:.1f}B)" if count >= 1e9 else f" ({count / 1e6:.1f}M)"


def _amount(value: int | None, unit: str | None, unset: str | None) -> str:
    if value is None:
        return unset or say("limits.no_limit")
    return f"{numbers.count(value)} {unit or ''}".rstrip()
