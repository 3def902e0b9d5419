"""A small OpenID provider on the loopback interface: real HTTP, real signatures, and real lies."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "labeljob"
SECRET = "a secret of the client"


@cache
def make_key():
    return RSAKey.generate_key(2048, {"kid": "one"})


class IdentityProvider:
    """It lets everybody in as `person`; `lies` change the ID token, `sign` how it is signed."""

    def __init__(self):
        self.person = {"sub": "ann-1", "email": "ann@example.org", "email_verified": True}
        self.lies = {}
        self.sign = self.sign_with_key
        self.tells_email_apart = False
        self.is_down = False
        self.metadata = {}
        self.asked = []
        self._codes = {}
        self._key = make_key()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._make_handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self._thread.start()
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def sign_with_key(self, claims):
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self._key)

    def sign_with_another_key(self, claims):
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, RSAKey.generate_key(2048))

    def sign_with_public_key_as_secret(self, claims):
        header = {"alg": "HS256", "kid": "one", "typ": "JWT"}
        body = b".".join(encode(json.dumps(part).encode()) for part in (header, claims))
        digest = hmac.digest(self._key.as_pem(private=False), body, "sha256")
        return b".".join((body, encode(digest))).decode()

    def sign_not_at_all(self, claims):
        header = {"alg": "none", "kid": "one", "typ": "JWT"}
        body = b".".join(encode(json.dumps(part).encode()) for part in (header, claims))
        return body.decode() + "."

    def _describe(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            **self.metadata,
        }

    def _authorize(self, query):
        code = secrets.token_hex()
        self._codes[code] = query
        self.asked.append(query)
        answer = urlencode({"code": code, "state": query["state"]})
        return f"{query['redirect_uri']}?{answer}"

    def _give_token(self, form, authorization):
        credentials = base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()
        query = self._codes.pop(form.get("code", ""), None)
        challenge = encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode()
        if (
            authorization != f"Basic {credentials}"
            or query is None
            or query.get("code_challenge_method") != "S256"
            or query.get("code_challenge") != challenge
            or query["redirect_uri"] != form.get("redirect_uri")
        ):
            return None
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": query.get("nonce"),
            "sub": self.person["sub"],
            **({} if self.tells_email_apart else self.person),
            **self.lies,
        }
        return {
            "access_token": "access",
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self.sign(claims),
        }

    def _make_handler(provider):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                path = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(path.query).items()}
                if provider.is_down:
                    self._send(503, {})
                elif path.path == "/authorize":
                    self._send(302, {}, location=provider._authorize(query))
                elif path.path == "/.well-known/openid-configuration":
                    self._send(200, provider._describe())
                elif path.path == "/keys":
                    keys = [provider._key.as_dict(private=False)]
                    self._send(200, {"keys": keys})
                elif path.path == "/userinfo" and self.headers["authorization"] == "Bearer access":
                    self._send(200, provider.person)
                else:
                    self._send(404, {})

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                form = {key: values[0] for key, values in parse_qs(body).items()}
                token = provider._give_token(form, self.headers["authorization"])
                self._send(200 if token else 400, token or {"error": "invalid_grant"})

            def _send(self, status, value, location=None):
                body = json.dumps(value).encode()
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                """Say nothing."""

        return Handler


def encode(body):
    return base64.urlsafe_b64encode(body).rstrip(b"=")
