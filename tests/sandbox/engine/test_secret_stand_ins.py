import stat

from sandbox.engine.secret_stand_ins import STAND_IN_VALUE, SecretStandIns


def test_secret_is_missing_until_it_has_a_stand_in_or_is_the_sandbox_s_own(tmp_path):
    stand_ins = SecretStandIns(tmp_path, "dev")
    assert stand_ins.find_missing(["a", "b", "c"]) == ["a", "b", "c"]
    stand_ins.add({"a": "A"})
    stand_ins.add_own(["c"])
    assert SecretStandIns(tmp_path, "dev").find_missing(["a", "b", "c"]) == ["b"]
    assert stand_ins.load() == {"a": "A"}


def test_stacks_have_stand_ins_of_their_own(tmp_path):
    SecretStandIns(tmp_path, "dev").add({"a": "A"})
    assert SecretStandIns(tmp_path, "prod").load() == {}


def test_forgotten_stand_ins_are_missing_again(tmp_path):
    stand_ins = SecretStandIns(tmp_path, "dev")
    stand_ins.forget()
    stand_ins.add({"a": "A"})
    stand_ins.forget()
    assert stand_ins.find_missing(["a"]) == ["a"]


def test_only_the_user_can_read_the_file(tmp_path):
    SecretStandIns(tmp_path, "dev").add({"a": "A"})
    assert stat.S_IMODE((tmp_path / "dev.json").stat().st_mode) == 0o600


def test_placeholders_are_settings_that_sort_in_order(tmp_path):
    placeholders = SecretStandIns(tmp_path, "dev").placeholders(12)
    assert placeholders == sorted(placeholders)
    assert all(each.endswith(f"={STAND_IN_VALUE}") for each in placeholders)
    assert len(set(placeholders)) == 12
