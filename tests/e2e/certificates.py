"""An authority of its own for each test, by openssl."""

from __future__ import annotations

import dataclasses
import pathlib
import ssl
import subprocess


@dataclasses.dataclass
class Certificate:
    chain: pathlib.Path
    key: pathlib.Path


class Authority:
    """Issues certificates of P-256 keys into a folder."""

    def __init__(self, directory: pathlib.Path, name: str = "ca") -> None:
        self.directory, self.name = directory, name
        self.file = directory / f"{name}.crt"
        self._key = directory / f"{name}.key"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-days", "2", "-keyout", self._key, "-out", self.file,
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",  # Python 3.13 wants to see it
        )  # fmt: skip

    def issue(self, name: str, *names: str, days: int = 1, usage: str = "serverAuth") -> Certificate:
        """`names`: as in subjectAltName (`DNS:a.example`, `IP:127.0.0.1`)."""
        certificate = Certificate(self.directory / f"{name}.crt", self.directory / f"{name}.key")
        request, extensions = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        self._openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", certificate.key, "-out", request,
        )  # fmt: skip
        lines = [f"extendedKeyUsage={usage}", "authorityKeyIdentifier=keyid"]
        if names:
            lines.append("subjectAltName=" + ",".join(names))
        extensions.write_text("\n".join(lines) + "\n")
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._key,
            "-CAcreateserial", "-days", str(days), "-extfile", extensions,
            "-out", certificate.chain,
        )  # fmt: skip
        certificate.key.chmod(0o600)
        return certificate

    def client(self, certificate: Certificate | None = None) -> ssl.SSLContext:
        """What a client needs to trust this authority's servers, and to show who it is."""
        context = ssl.create_default_context(cafile=self.file)
        if certificate:
            context.load_cert_chain(certificate.chain, certificate.key)
        return context

    def _openssl(self, *arguments: object) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
