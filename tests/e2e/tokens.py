"""JSON Web Tokens as an issuer makes them, by the standard library and openssl."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import pathlib
import subprocess
import time
from typing import Any

SECRET = "a secret that is long enough for HS256"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(algorithm: str, claims: dict[str, Any], **header: Any) -> str:
    head = {"alg": algorithm, "typ": "JWT", **header}
    return b64(json.dumps(head).encode()) + "." + b64(json.dumps(claims).encode())


def fresh(**claims: Any) -> dict[str, Any]:
    return {"sub": "ann", "exp": int(time.time()) + 600, **claims}


def hs256(claims: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256") -> str:
    text = unsigned(algorithm, claims)
    return text + "." + b64(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


class RsaKey:
    def __init__(self, directory: pathlib.Path, name: str = "issuer") -> None:
        self.private, self.public = directory / f"{name}.pem", directory / f"{name}.pub"
        self._openssl("genrsa", "-out", self.private, "2048")
        self._openssl("rsa", "-in", self.private, "-pubout", "-out", self.public)

    def rs256(self, claims: dict[str, Any]) -> str:
        text = unsigned("RS256", claims)
        signature = self._openssl("dgst", "-sha256", "-sign", self.private, text=text.encode())
        return text + "." + b64(signature)

    @staticmethod
    def _openssl(*arguments: object, text: bytes = b"") -> bytes:
        done = subprocess.run(
            ["openssl", *map(str, arguments)], input=text, check=True, capture_output=True
        )
        return done.stdout
