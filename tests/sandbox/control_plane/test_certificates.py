import stat

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from sandbox.control_plane.certificates import CertificateAuthority, create_signing_key


def _read(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def test_user_has_name_and_groups_where_kubernetes_reads_them():
    authority = CertificateAuthority("authority")
    certificate = _read(authority.sign_user("ann@acme.example", ["ads", "ml"]).certificate)
    certificate.verify_directly_issued_by(_read(authority.pair.certificate))
    values = [(each.oid, each.value) for each in certificate.subject]
    assert values == [
        (NameOID.ORGANIZATION_NAME, "ads"),
        (NameOID.ORGANIZATION_NAME, "ml"),
        (NameOID.COMMON_NAME, "ann@acme.example"),
    ]


def test_server_is_valid_for_all_its_names_and_addresses():
    pair = CertificateAuthority("authority").sign_server(["a.svc", "localhost"], ["127.0.0.1"])
    names = _read(pair.certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.svc", "localhost"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_authority_is_of_the_kind_that_kueue_takes_for_its_own():
    pair = CertificateAuthority("kueue-ca").pair
    names = _read(pair.certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["kueue-ca"]
    assert isinstance(load_pem_private_key(pair.key, None), rsa.RSAPrivateKey)
    assert pair.key.startswith(b"-----BEGIN RSA PRIVATE KEY-----")


def test_only_the_owner_reads_keys(tmp_path):
    certificate, key = CertificateAuthority("authority").pair.write(tmp_path / "pki", "authority")
    assert (certificate.name, key.name) == ("authority.crt", "authority.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert create_signing_key() != create_signing_key()
