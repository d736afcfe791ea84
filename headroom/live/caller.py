"""Who is asking: the address that Google knows the credentials by."""

from typing import Final

from headroom.live.connection import TIMEOUT_S, Connection, UnansweredError, answers

_SCOPES: Final = ("openid", "https://www.googleapis.com/auth/userinfo.email")
_USER_INFO: Final = "https://openidconnect.googleapis.com/v1/userinfo"


def find_caller(connection: Connection) -> str | None:
    """Return the caller's address in lower case; None where Google does not say.

    A service account's credentials name it; of a user Google is asked, since what a file says of itself may
    be another account (developers.google.com/identity/openid-connect/openid-connect, 2026-11).
    """
    kind, _, address = connection.principal.partition(":")
    if connection.endpoint or kind == "serviceAccount":
        return address.lower() if "@" in address else None
    try:
        return _ask_address(connection)
    except UnansweredError:
        return None


def _ask_address(connection: Connection) -> str | None:
    import google.auth
    from google.auth.transport.requests import AuthorizedSession

    with answers(connection.project):
        credentials, _ = google.auth.default(scopes=_SCOPES)
        with AuthorizedSession(credentials) as session:
            said = session.get(_USER_INFO, timeout=TIMEOUT_S)
            found = said.json() if said.ok else {}
    if not isinstance(found, dict) or found.get("email_verified") not in (True, "true"):
        return None
    address = found.get("email")
    return address.lower() if isinstance(address, str) and "@" in address else None
