"""An authority that issues and revokes client certificates, with the real openssl."""

import subprocess
from pathlib import Path

CONFIG = """
[ca]
default_ca = own
[own]
dir = {folder}
database = $dir/index.txt
serial = $dir/serial
crlnumber = $dir/crlnumber
new_certs_dir = $dir
certificate = $dir/ca.crt
private_key = $dir/ca.key
default_md = sha256
default_days = 2
default_crl_days = 2
crl_extensions = list
policy = any
unique_subject = no
copy_extensions = copy
x509_extensions = client
[client]
basicConstraints = CA:false
extendedKeyUsage = clientAuth
[list]
authorityKeyIdentifier = keyid
[any]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
"""


class Authority:
    """One authority in a folder of its own."""

    def __init__(self, folder: Path, name: str = "clients"):
        self.folder = folder
        folder.mkdir(parents=True)
        (folder / "index.txt").touch()
        (folder / "serial").write_text("1000\n")
        (folder / "crlnumber").write_text("01\n")
        self.config = folder / "ca.cnf"
        self.config.write_text(CONFIG.format(folder=folder))
        self.cert = folder / "ca.crt"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-addext", "keyUsage=keyCertSign,cRLSign",
            "-keyout", folder / "ca.key", "-out", self.cert,
        )  # fmt: skip

    def _openssl(self, *args):
        run = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == 0, run.stderr
        return run.stdout

    def issue(self, name: str, subject: str, names: str | None = None):
        """Issues a certificate for `subject`, as openssl writes it; returns its path and that of its key."""
        cert, key, asked = (self.folder / f"{name}.{kind}" for kind in ("crt", "key", "csr"))
        more = ["-addext", f"subjectAltName={names}"] if names else []
        self._openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, *more,
            "-keyout", key, "-out", asked,
        )  # fmt: skip
        self._openssl("ca", "-batch", "-notext", "-config", self.config, "-in", asked, "-out", cert)
        return cert, key

    def revoke(self, *certs):
        """Revokes certificates and writes the list of all that are; returns its path."""
        for cert in certs:
            self._openssl("ca", "-config", self.config, "-revoke", cert)
        crl = self.folder / "crl.pem"
        self._openssl("ca", "-config", self.config, "-gencrl", "-out", crl)
        return crl

    def distinguished_name(self, cert) -> str:
        """Returns the subject of a certificate as the documentation tells to find it."""
        said = self._openssl("x509", "-in", cert, "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb,utf8")
        return said.strip().removeprefix("subject=")
