from sandbox.engine.working_copy import copy_project, link_project


def test_copy_shows_the_project_and_holds_no_stack_file_and_no_history(project, tmp_path):
    link_project(project, tmp_path / "copy")
    assert {each.name for each in (tmp_path / "copy").iterdir()} == {"Pulumi.yaml", "infra"}
    assert (tmp_path / "copy" / "infra").resolve() == project / "infra"
    assert not (tmp_path / "copy" / "Pulumi.yaml").is_symlink()


def test_what_is_added_or_removed_in_the_project_is_so_in_the_copy(project, tmp_path):
    (project / "old").touch()
    link_project(project, tmp_path / "copy")
    (project / "old").unlink()
    (project / "quotas").mkdir()
    link_project(project, tmp_path / "copy")
    assert {each.name for each in (tmp_path / "copy").iterdir()} == {"Pulumi.yaml", "infra", "quotas"}


def test_link_that_points_elsewhere_or_became_a_file_is_set_right(project, tmp_path):
    copy = tmp_path / "copy"
    link_project(project, copy)
    (copy / "infra").unlink()
    (copy / "infra").mkdir()
    (copy / "infra" / "stray").touch()
    link_project(project, copy)
    assert (copy / "infra").readlink() == project / "infra"
    (copy / "infra").unlink()
    (copy / "infra").symlink_to(tmp_path)
    link_project(project, copy)
    assert (copy / "infra").readlink() == project / "infra"


def test_copied_project_has_stack_files_of_its_own(project, tmp_path):
    copy = copy_project(project, tmp_path / "copy")
    before = (project / "Pulumi.dev.yaml").read_text()
    (copy / "Pulumi.dev.yaml").write_text("config: {}\n")
    assert (project / "Pulumi.dev.yaml").read_text() == before
    assert (copy / "Pulumi.prod.yaml").read_text() == (project / "Pulumi.prod.yaml").read_text()


def test_environment_that_is_shared_with_the_folder_above_is_linked_there(project, tmp_path):
    (project.parent / "env").mkdir(exist_ok=True)
    (project / "Pulumi.yaml").write_text(
        "name: p\nruntime:\n  name: python\n  options:\n    virtualenv: ../env\n"
    )
    link_project(project, tmp_path / "state" / "copy")
    assert (tmp_path / "state" / "env").readlink() == project.parent / "env"
