"""Signing in by an identity provider that speaks OpenID Connect: an extra, `portal-oidc`.

Authlib does the flow: authorization code with PKCE, state and nonce, and an ID token whose
signature, issuer, audience and times are checked. What it keeps between the two requests is in a
signed cookie for ten minutes. Who comes in is decided by the team: only members do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from groundtruth.errors import GroundTruthError
from labeljob.extras import need
from labeljob.portal import SECRET_VARIABLE
from labeljob.portal.access import Access, choose_local_path, is_loopback
from labeljob.portal.team import bind_identity
from labeljob.portal.templating import render_page

"""Environment variable with the client's secret."""

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signatures of ID tokens that count: with a key pair, so that nobody but the provider signs."""

_SECONDS_TO_SIGN_IN = 600
_SECONDS_TO_WAIT = 10.0
_NEXT = "next"


class OidcError(GroundTruthError):
    """The identity provider cannot be used; the text says why."""


@dataclass(frozen=True, kw_only=True)
class OidcSettings:
    """The identity provider, and who the portal is to it.

    Raises `OidcError` if the issuer is no URL with TLS, or a setting or Authlib is missing.
    """

    issuer: str
    client_id: str
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.issuer)
        is_safe = parts.scheme == "https" or is_loopback(parts.hostname or "")
        if parts.scheme not in ("https", "http") or not parts.hostname or not is_safe:
            raise OidcError(
                f"the OIDC issuer {self.issuer!r} is not like https://login.example.org"
            )
        if not self.client_id:
            raise OidcError("the OIDC client ID is missing: give it as --oidc-client-id")
        if not self.secret:
            raise OidcError(
                f"the OIDC client's secret is missing: put it into {SECRET_VARIABLE}, "
                "or into a file that --oidc-secret-file names"
            )
        need("authlib", "OIDC")

    @property
    def name(self) -> str:
        """What people read of the provider."""
        return urlsplit(self.issuer).hostname or self.issuer


def routes(access: Access, settings: OidcSettings) -> list[BaseRoute]:
    """The routes of signing in by the provider."""
    pages = OidcPages(access, settings)
    secure = access.settings.is_secure
    secret = access.database.get_meta("secret") or ""
    session = Middleware(
        SessionMiddleware,
        secret_key=hashlib.sha256(f"oidc {secret}".encode()).hexdigest(),
        session_cookie="__Host-labeljob-oidc" if secure else "labeljob-oidc",
        max_age=_SECONDS_TO_SIGN_IN,
        same_site="lax",
        https_only=secure,
    )
    return [
        Mount(
            "/oidc",
            routes=[
                Route("/sign-in", pages.ask_provider, methods=["GET"]),
                Route("/callback", pages.sign_in, methods=["GET"]),
            ],
            middleware=[session],
        )
    ]


class OidcPages:
    """The way to the provider and back."""

    def __init__(self, access: Access, settings: OidcSettings) -> None:
        from authlib.integrations.starlette_client import OAuth  # type: ignore[import-untyped]

        self._access = access
        self._settings = settings
        self._client: Any = OAuth().register(
            "provider",
            client_id=settings.client_id,
            client_secret=settings.secret,
            server_metadata_url=f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid email",
                "code_challenge_method": "S256",
                "timeout": _SECONDS_TO_WAIT,
            },
        )

    async def ask_provider(self, request: Request) -> Response:
        """Go to the provider's page."""
        from httpx2 import HTTPError

        request.session.clear()
        request.session[_NEXT] = choose_local_path(request.query_params.get(_NEXT))
        callback = f"{self._access.settings.origin_of(request)}/oidc/callback"
        try:
            await self._load_metadata()
            response: Response = await self._client.authorize_redirect(request, callback)
        except (HTTPError, ValueError, RuntimeError, OidcError) as error:
            return self._explain(request, f"{self._settings.name} cannot be used: {error}", 502)
        return response

    async def sign_in(self, request: Request) -> Response:
        """Come back from the provider, as whom it says, if that is a member."""
        from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
        from httpx2 import HTTPError
        from joserfc.errors import JoseError

        path = request.session.pop(_NEXT, "/")
        try:
            await self._load_metadata()
            claims = await self._read_claims(request)
        except (AuthlibBaseError, JoseError, ValueError) as error:
            text = f"{self._settings.name} did not sign you in ({error}). Try again."
            return self._explain(request, text, 403)
        except (HTTPError, RuntimeError, OidcError) as error:
            return self._explain(request, f"{self._settings.name} cannot be used: {error}", 502)
        finally:
            request.session.clear()

        email = claims.get("email")
        if not isinstance(email, str) or claims.get("email_verified") not in (True, "true"):
            text = f"{self._settings.name} does not vouch for your e-mail address."
            return self._explain(request, text, 403)
        member = await self._access.thread.run(
            bind_identity,
            self._access.database,
            email,
            issuer=self._settings.issuer,
            sub=str(claims["sub"]),
        )
        if member is None:
            text = f"{email} is not in the team of this portal. Ask who runs it."
            return self._explain(request, text, 403)
        return await self._access.admit(request, member, path)

    async def _load_metadata(self) -> None:
        """Ask the provider once what it offers; raises `OidcError` if it is another one."""
        metadata = await self._client.load_server_metadata()
        if metadata.get("issuer") != self._settings.issuer:
            raise OidcError(f"it calls itself {metadata.get('issuer')!r}")
        offered = metadata.get("id_token_signing_alg_values_supported", ALGORITHMS[:1])
        safe = [name for name in offered if name in ALGORITHMS]
        metadata["id_token_signing_alg_values_supported"] = safe or ALGORITHMS[:1]

    async def _read_claims(self, request: Request) -> Mapping[str, Any]:
        """What the provider says of the person; it may tell the e-mail address apart."""
        token = await self._client.authorize_access_token(request)
        claims: Mapping[str, Any] | None = token.get("userinfo")
        if not claims or not claims.get("sub"):
            raise ValueError("it sent no ID token")
        if "email" in claims or "userinfo_endpoint" not in self._client.server_metadata:
            return claims
        more: Mapping[str, Any] = await self._client.userinfo(token=token)
        if more.get("sub") != claims["sub"]:
            raise ValueError("it told of somebody else")
        return {**more, "sub": claims["sub"]}

    def _explain(self, request: Request, text: str, status: int) -> Response:
        return render_page(
            request,
            "sign_in.html.jinja",
            status=status,
            next="/",
            next_in_url="%2F",
            email="",
            error=text,
            provider=self._settings.name,
        )
