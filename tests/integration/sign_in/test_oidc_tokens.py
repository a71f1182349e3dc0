"""Access tokens of an issuer: what is right gets in, and whatever is wrong does not, for the same reason."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from joserfc.jwk import RSAKey

from memory_server.adapters.oidc_tokens import KEYS_LIFETIME, OidcTokens
from memory_server.domain.errors import Unauthenticated, Unavailable
from tests.fixtures.issuer import AUDIENCE, Issuer, oidc_issuer


class Clock:
    """A clock that a test turns on."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with oidc_issuer() as issuer:
        yield issuer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(issuer: Issuer, clock: Clock) -> OidcTokens:
    return OidcTokens(issuer.url, AUDIENCE, clock)


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "memories:read openid memories:write"}, {"memories:read", "memories:write"}),
        ({"scope": None, "scp": "plugins:read"}, {"plugins:read"}),
        ({"scope": None, "scp": ["plugins:read", "keys:admin"]}, {"plugins:read", "keys:admin"}),
        ({"scope": None}, set[str]()),
    ],
)
async def test_a_token_stands_for_its_subject_with_those_of_its_scopes_that_are_known(
    issuer: Issuer, tokens: OidcTokens, claims: dict[str, str | None], scopes: set[str]
) -> None:
    token = issuer.token(**claims)
    principal = await tokens.principal(token)
    assert (principal.user_id, principal.scopes) == ("ada", scopes)


@pytest.mark.parametrize("exp", [4_000_000_000, 1e300])
async def test_a_token_tells_when_it_ends(issuer: Issuer, tokens: OidcTokens, exp: float) -> None:
    principal = await tokens.principal(issuer.token(exp=exp))
    assert principal.expires_at == datetime.fromtimestamp(min(exp, datetime(9999, 1, 1, tzinfo=UTC).timestamp()), UTC)


async def test_both_algorithms_are_taken_and_an_audience_among_others(issuer: Issuer, tokens: OidcTokens) -> None:
    token = issuer.signed({"aud": ["https://other.test", AUDIENCE]}, issuer.ec, "ES256")
    assert (await tokens.principal(token)).user_id == "ada"


def of_another(issuer: Issuer) -> str:
    return issuer.signed({}, RSAKey.generate_key(2048, {"kid": "rsa"}))


def changed(issuer: Issuer) -> str:
    head, _, signature = issuer.token().split(".")
    return f"{head}.{issuer.token(sub='bob').split('.')[1]}.{signature}"


WRONG: dict[str, Callable[[Issuer], str]] = {
    "for another audience": lambda issuer: issuer.token(aud="https://other.test"),
    "for no audience": lambda issuer: issuer.token(aud=None),
    "of another issuer": lambda issuer: issuer.token(iss="https://other.test"),
    "of no issuer": lambda issuer: issuer.token(iss=None),
    "expired": lambda issuer: issuer.token(exp=int(time.time()) - 60),
    "for ever": lambda issuer: issuer.token(exp=None),
    "not yet": lambda issuer: issuer.token(nbf=int(time.time()) + 120),
    "of nobody": lambda issuer: issuer.token(sub=None),
    "of no text": lambda issuer: issuer.token(sub=7),
    "unsigned": Issuer.unsigned,
    "signed with the public key": Issuer.signed_with_public_key,
    "by another algorithm": lambda issuer: issuer.signed(
        {}, RSAKey.import_key(issuer.rsa.as_pem(private=True), {"kid": "rsa"}), "PS256"
    ),
    "signed by another": of_another,
    "changed": changed,
    "with a key that nobody has": lambda issuer: issuer.signed({}, RSAKey.generate_key(2048, {"kid": "new"})),
    "no token": lambda _: "a.b.c",
    "no parts": lambda _: "secret",
}


@pytest.mark.parametrize("kind", WRONG)
async def test_a_token_that_is_wrong_in_any_way_is_refused_in_the_same_words(
    issuer: Issuer, tokens: OidcTokens, kind: str
) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await tokens.principal(WRONG[kind](issuer))
    assert str(refusal.value) == str(Unauthenticated())


async def test_the_issuer_is_asked_for_its_keys_once_until_they_are_old_or_one_is_new(
    issuer: Issuer, tokens: OidcTokens, clock: Clock
) -> None:
    for _ in range(3):
        await tokens.principal(issuer.token())
    assert issuer.asked == 1

    issuer.rsa = RSAKey.generate_key(2048, {"kid": "next", "alg": "RS256"})
    for _ in range(3):
        with pytest.raises(Unauthenticated):  # strangers cannot make it ask all the time
            await tokens.principal(issuer.token())
    assert issuer.asked == 1
    clock.ahead = timedelta(seconds=31)
    await tokens.principal(issuer.token())
    assert issuer.asked == 2

    clock.ahead = KEYS_LIFETIME + timedelta(minutes=1)
    await tokens.principal(issuer.token(exp=int(time.time()) + 3600))
    assert issuer.asked == 3


async def test_an_issuer_that_does_not_answer_is_no_refusal(clock: Clock) -> None:
    with oidc_issuer() as issuer:
        token, tokens = issuer.token(), OidcTokens(issuer.url, AUDIENCE, clock)
    with pytest.raises(Unavailable):
        await tokens.principal(token)


async def test_keys_that_are_known_hold_while_the_issuer_is_away(clock: Clock) -> None:
    with oidc_issuer() as issuer:
        tokens = OidcTokens(issuer.url, AUDIENCE, clock)
        token = issuer.token(exp=int(time.time()) + 3600)
        await tokens.principal(token)
    clock.ahead = KEYS_LIFETIME
    assert (await tokens.principal(token)).user_id == "ada"
