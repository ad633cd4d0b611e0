"""What stands on every page: the line of pages, the line that says how things are, the footer. Pure."""

from aimon_local.tui import keys
from aimon_local.tui.lines import Line, Piece, clean, fit, width_of
from aimon_local.tui.seen import Seen


def tabs(page: str, width: int = 120) -> Line:
    """The pages by their keys; the one that is open is marked by brackets too."""
    out: list[Piece] = [(" aimon-local ", "title")] if width >= _ROOMY else []
    for each in keys.pages():
        here = each.action == f"page('{page}')"
        out.append((f" {each.key} ", "key"))
        out.append((f"[{each.label}]" if here else f" {each.label} ", "bold" if here else "dim"))
    return tuple(out)


def status(seen: Seen, width: int) -> Line:
    """Address and health left, window and freeze right."""
    link, signs = seen.link, seen.signs
    address = clean(link.address.removeprefix("http://"))
    if link.attached:
        health: Line = ((f" {signs.ok} up ", "ok"), (f"{address} ", "text"))
        if seen.state.ledger is not None:
            health = ((f" {signs.deny} ledger: {clean(seen.state.ledger)} ", "deny"), (f"{address} ", "text"))
    elif link.ever:
        health = ((f" {signs.deny} lost ", "deny"), (f"{address}: {clean(link.why)}; try {link.tries} ", "text"))
    else:
        health = ((f" {signs.near} attaching ", "near"), (f"{address} {clean(link.why)}", "text"))
    right = f"window {seen.window} "
    if seen.state.missed:
        right = f"{seen.state.missed} events missed {signs.dot} {right}"
    if seen.frozen:
        right = f"{signs.near} FROZEN, {seen.behind} events behind {signs.dot} {right}"
    left = width_of(health)
    if left + len(right) > width:
        return (*health, (fit("", width - left), "text"))
    return (*health, (" " * (width - left - len(right)), "text"), (right, "near" if seen.frozen else "dim"))


def footer(page: str, width: int = 80) -> Line:
    """The keys that matter here, as many as there is room for."""
    out: list[Piece] = []
    for each in keys.footer(page):
        more: Line = ((f" {each.shown} ", "key"), (f"{each.label} ", "dim"))
        if width_of((*out, *more)) <= width:
            out += more
    return tuple(out)


def help_lines(page: str) -> list[Line]:
    """All keys, those of the page first."""
    out: list[Line] = [((" Keys", "title"),), ()]
    own = [each for each in keys.of(page) if each.where]
    for title, some in (("here", own), ("everywhere", [each for each in keys.KEYS if not each.where])):
        if some:
            out.append(((f" {title}", "bold"),))
            out += [((f"   {each.shown:<6}", "key"), (each.help, "text")) for each in some]
            out.append(())
    out.append(((" arrows, j k, page keys, home and end move the mark; tab goes to the next list;", "dim"),))
    out.append(((" the mouse marks, a second click opens. esc closes this.", "dim"),))
    return out


def nothing_yet(seen: Seen) -> list[Line]:
    """What to do where no traffic came yet: the exact line."""
    if not seen.link.attached and not seen.link.ever:
        return [
            (),
            ((f"  No gateway answers on {clean(seen.link.address)} yet.", "near"),),
            ((f"  {clean(seen.link.why)}", "dim"),),
            ((f"  {clean(seen.link.hint or 'start one with: aimon-local up')}", "text"),),
            (("  It is tried again by itself.", "dim"),),
        ]
    made = curl(seen)
    how: Line = () if seen.link.key else (("  a key:  aimon-local key create demo-free", "text"),)
    return [
        (),
        (("  No traffic yet. In another terminal (y copies it):", "bold"),),
        (),
        *(((f"  {'' if number == 0 else '  '}{line}", "key"),) for number, line in enumerate(made)),
        (),
        *([how, ()] if how else []),
        (("  or press 3 and run a scenario.", "dim"),),
    ]


def curl(seen: Seen) -> list[str]:
    """A first call, in lines that fit a small terminal."""
    return [
        f"curl -i {clean(seen.link.proxy)}/demo/v1/chat/completions \\",
        f"-H 'apikey: {clean(seen.link.key) or 'YOUR-KEY'}' \\",
        "-H 'Content-Type: application/json' \\",
        f"-d '{_BODY}'",
    ]


_ROOMY = 90  # cells from which on the program's name has its place beside the pages
_BODY = '{"model":"mock-small","messages":[{"role":"user","content":"hello"}]}'
