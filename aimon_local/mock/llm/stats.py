"""The mock's own count: the ground truth that a gateway's ledger is compared with."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Served:
    """What one model (or path) served."""

    requests: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0

    def add(self, prompt: int, output: int) -> None:
        """One answer more."""
        self.requests += 1
        self.prompt_tokens += prompt
        self.output_tokens += output


@dataclass(slots=True)
class Stats:
    """Counts since the start, or since they were reset."""

    requests: int = 0
    by_status: dict[int, int] = field(default_factory=dict)
    by_path: dict[str, int] = field(default_factory=dict)
    by_model: dict[str, Served] = field(default_factory=dict)
    in_flight: int = 0
    most_in_flight: int = 0
    cut: int = 0  # streams that did not reach their end: a fault, or the caller left

    def began(self, path: str) -> None:
        """A request came."""
        self.requests += 1
        self.by_path[path] = self.by_path.get(path, 0) + 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def answered(self, status: int) -> None:
        """Its status is decided."""
        self.by_status[status] = self.by_status.get(status, 0) + 1

    def ended(self) -> None:
        """It is over."""
        self.in_flight -= 1

    def served(self, model: str, prompt: int, output: int) -> None:
        """Tokens went out: of a cut stream, those that did."""
        self.by_model.setdefault(model, Served()).add(prompt, output)

    def document(self) -> dict[str, object]:
        """As ``GET /_mock/stats`` shows it."""
        totals = Served()
        for one in self.by_model.values():
            totals.requests += one.requests
            totals.prompt_tokens += one.prompt_tokens
            totals.output_tokens += one.output_tokens
        return {
            "requests": self.requests,
            "served": totals.requests,
            "prompt_tokens": totals.prompt_tokens,
            "output_tokens": totals.output_tokens,
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "cut": self.cut,
            "by_status": {str(status): count for status, count in sorted(self.by_status.items())},
            "by_path": dict(sorted(self.by_path.items())),
            "by_model": {
                name: {"requests": one.requests, "prompt_tokens": one.prompt_tokens, "output_tokens": one.output_tokens}
                for name, one in sorted(self.by_model.items())
            },
        }
