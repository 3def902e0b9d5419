"""Options of `labeljob portal` about who reaches it: addresses, a proxy, an identity provider."""

from __future__ import annotations

from collections.abc import Mapping

from labeljob import messages
from labeljob.commands.portal_access import TRUSTED_PROXY, AccessOptions
from labeljob.portal import SECRET_VARIABLE
from labeljob.portal.access import AccessError, AccessSettings
from labeljob.portal.oidc import OidcError, OidcSettings
from labeljob.portal.sessions import IDLE_LIMIT


def read_access_settings(options: AccessOptions, *, longest_task: float = 0.0) -> AccessSettings:
    """How the portal is reached; a session lasts at least as long as the longest task, in seconds.

    Raises `AccessError` if options contradict each other.
    """
    if options.trusted_proxy and not options.behind_proxy:
        raise AccessError("--trusted-proxy is for a portal --behind-proxy")
    proxies = options.trusted_proxy or [TRUSTED_PROXY] if options.behind_proxy else []
    return AccessSettings(
        host=options.host,
        public_url=options.public_url,
        trusted_proxies=tuple(proxies),
        idle_limit=max(IDLE_LIMIT, longest_task + 60.0),
    )


def read_oidc_settings(options: AccessOptions, environ: Mapping[str, str]) -> OidcSettings | None:
    """The identity provider, if there is one.

    Raises `OidcError` if something about it is missing.
    """
    if options.oidc_issuer is None:
        if options.oidc_client_id or options.oidc_secret_file:
            raise OidcError("the identity provider is missing: give it as --oidc-issuer")
        return None
    secret = environ.get(SECRET_VARIABLE, "")
    if options.oidc_secret_file:
        try:
            secret = options.oidc_secret_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise OidcError(f"{options.oidc_secret_file} cannot be read: {error}") from error
    return OidcSettings(
        issuer=options.oidc_issuer, client_id=options.oidc_client_id or "", secret=secret
    )


def warn_of_reach(settings: AccessSettings) -> None:
    """Say it if people elsewhere reach the portal, and how that is made safe."""
    if settings.is_local or settings.is_secure:
        return
    messages.warning(
        f"the portal listens on {settings.host} without TLS: whoever is in the network can read "
        "passwords and answers. Put a proxy with TLS before it (--behind-proxy and --public-url)"
    )
