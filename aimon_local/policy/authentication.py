"""What all authentication plugins share: who calls is said once, failure may fall back to an anonymous consumer.

Kong's logic of several: without ``anonymous`` each plugin must succeed (AND, the last one names the consumer); with it
the first success counts, later ones stand back (OR). To add an authentication plugin: a subclass of ``Authentication``
whose ``authenticate`` proves the caller and ends in ``recognise``.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aimon_local.policy import reasons
from aimon_local.policy.call import Call, NeedBody, Outcome, Refuse, header
from aimon_local.policy.edits import one_line
from aimon_local.policy.rule import Rule

if TYPE_CHECKING:
    from aimon_local.policy.nouns import Consumer, Credential

_ANONYMOUS = header("X-Anonymous-Consumer", "true")
_IDENTITY = frozenset(
    (
        b"x-anonymous-consumer",
        b"x-consumer-custom-id",
        b"x-consumer-id",
        b"x-consumer-username",
        b"x-credential-identifier",
    )
)


class Authentication(Rule):
    """One configured instance of an authentication plugin."""

    __slots__ = ("_anonymous", "_on_preflight")

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._anonymous: str | None = config.get("anonymous")
        self._on_preflight: bool = config.get("run_on_preflight", True)

    def access(self, call: Call) -> Outcome:
        """Prove the caller, or let the anonymous consumer stand in."""
        if not self._on_preflight and call.method == "OPTIONS":
            return None
        if self._anonymous is None:
            return self.authenticate(call)
        if call.credential is not None:
            return None
        outcome = self.authenticate(call)
        if outcome is None or isinstance(outcome, NeedBody) or outcome.status >= 500:
            return outcome
        return self._stand_in(call, self._anonymous)

    def authenticate(self, call: Call) -> Outcome:
        """Find and check the credential: None once ``recognise`` was called, else the refusal."""
        raise NotImplementedError

    def _stand_in(self, call: Call, anonymous: str) -> Outcome:
        consumer = call.snapshot.consumer_by_name(anonymous)
        if consumer is None:
            message = f"anonymous consumer {anonymous} is configured but doesn't exist"
            return Refuse(500, message, reasons.NO_ANONYMOUS)
        recognise(call, consumer, None)
        return None


def recognise(call: Call, consumer: "Consumer", credential: "Credential | None") -> None:
    """The caller is known from here on, and the upstream is told; without a credential it is the anonymous one."""
    if call.consumer is not None:
        call.fields = [field for field in call.fields if field[0] not in _IDENTITY]
    call.consumer = consumer
    call.credential = credential
    call.anonymous = credential is None
    call.fields += consumer.identity
    call.fields.append(_ANONYMOUS if credential is None else credential.identifier)


def challenge(scheme: str, **parameters: str | None) -> tuple[tuple[bytes, bytes], ...]:
    """A WWW-Authenticate field: the scheme and its parameters, set apart by blanks as Kong's are; None is left out."""
    given = [f'{name}="{value}"' for name, value in parameters.items() if value is not None]
    return ((b"WWW-Authenticate", one_line(" ".join([scheme, *given])).encode("utf-8", "surrogateescape")),)
