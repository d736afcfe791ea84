import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine.stack_files import (
    find_ciphertexts,
    find_salt,
    find_stack_files,
    from_sandbox,
    split_provider,
    to_sandbox,
)

BODY = """\
# yaml-language-server: $schema=stack.schema.json
config:
  gcp:project: acme
  headroom:token:
    secure: AAABAK7d0e4f
  headroom:hooks: {page: {secure: "v1:aa:bb+/="}}
"""
KMS = "secretsprovider: gcpkms://projects/acme\nencryptedkey: CiQAx0aB==\n"


@pytest.mark.parametrize(
    ("text", "provider"),
    [
        (KMS + BODY, KMS),
        (BODY + KMS, KMS),
        ("encryptionsalt: v1:xx:yy\n" + BODY, "encryptionsalt: v1:xx:yy\n"),
        (BODY + "encryptedkey: >-\n  CiQA\n  x0aB\n", "encryptedkey: >-\n  CiQA\n  x0aB\n"),
        (BODY, ""),
    ],
)
def test_lines_about_the_key_are_separated_wherever_they_stand(text, provider):
    assert split_provider(text) == (BODY, provider)


def test_setting_that_is_named_like_a_line_about_the_key_stays():
    text = "config:\n  headroom:x:\n    secretsprovider: mine\n"
    assert split_provider(text) == (text, "")


def test_copy_has_the_salt_of_the_sandbox_and_none_of_the_keys():
    copy = yaml.safe_load(to_sandbox(KMS + BODY, "v1:salt", {}))
    assert copy["encryptionsalt"] == "v1:salt"
    assert {"secretsprovider", "encryptedkey"}.isdisjoint(copy)


def test_copy_without_a_salt_has_no_line_about_it():
    assert find_salt(to_sandbox("encryptionsalt: v1:theirs\n" + BODY, None, {})) is None


def test_secrets_are_found_in_block_and_flow_style():
    assert find_ciphertexts(BODY) == ["AAABAK7d0e4f", "v1:aa:bb+/="]


def test_secrets_are_replaced_in_the_copy_and_come_back():
    stand_ins = {"AAABAK7d0e4f": "v1:one:x", "v1:aa:bb+/=": "v1:two:y"}
    copy = to_sandbox(KMS + BODY, "v1:salt", stand_ins)
    assert find_ciphertexts(copy) == ["v1:one:x", "v1:two:y"]
    assert "AAABAK7d0e4f" not in copy
    assert yaml.safe_load(from_sandbox(copy, KMS + BODY, stand_ins)) == yaml.safe_load(KMS + BODY)


def test_lines_about_the_key_come_back_below_the_head_comment_or_at_the_end():
    head = "# head\n"
    first = head + KMS + "config:\n  a:b: 1\n"
    assert from_sandbox(to_sandbox(first, "v1:s", {}), first, {}) == first
    last = head + "config:\n  a:b: 1\n" + KMS
    assert from_sandbox(to_sandbox(last, "v1:s", {}), last, {}) == last


def test_new_stack_file_gets_no_salt():
    assert from_sandbox("encryptionsalt: v1:s\nconfig:\n  a:b: 1\n", "", {}) == "config:\n  a:b: 1\n"


def test_file_without_a_last_line_end_stays_valid():
    original = "config: {}\n" + KMS.rstrip("\n")
    carried = from_sandbox("encryptionsalt: v1:s\nconfig:\n  a:b: 1", original, {})
    assert yaml.safe_load(carried) == {**yaml.safe_load(KMS), "config": {"a:b": 1}}


KEYS = st.from_regex(r"[a-z]{1,8}:[a-z]{1,8}", fullmatch=True)
VALUES = st.recursive(
    st.integers() | st.booleans() | st.text("abc :#'\"-", max_size=8),
    lambda inner: st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=5), st.booleans(), st.booleans())
def test_going_to_the_sandbox_and_back_changes_nothing(settings, keyed, first):
    body = yaml.safe_dump({"config": settings})
    text = (KMS + body if first else body + KMS) if keyed else body
    assert from_sandbox(to_sandbox(text, "v1:salt:x", {}), text, {}) == text


def test_stack_files_are_named_after_their_stack(tmp_path):
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.eu.prod.yaml", "Pulumi.qa.yml", "other.yaml"):
        (tmp_path / name).touch()
    assert set(find_stack_files(tmp_path)) == {"dev", "eu.prod", "qa"}
