"""`compile`: policies that hold, or everything that is wrong with them."""

from __future__ import annotations

import re

from taskman_authz.cli import main


def test_policies_that_compile_are_counted(policies, capsys):
    assert main(["compile", str(policies)]) == 0
    assert re.fullmatch("2 policies, revision [0-9a-f]{32}\n", capsys.readouterr().out)


def test_quiet_says_nothing_where_all_is_well(policies, capsys):
    assert main(["compile", "-q", str(policies)]) == 0
    assert capsys.readouterr() == ("", "")


def test_several_paths_are_one_set(policies, tmp_path, capsys):
    (tmp_path / "more.yaml").write_text(
        "policies: [{id: more, effect: allow, actions: ['*'], resources: ['*']}]"
    )
    assert main(["compile", str(policies), "more.yaml"]) == 0
    assert capsys.readouterr().out.startswith("3 policies, ")


def test_the_order_of_paths_makes_no_difference(policies, tmp_path, capsys):
    (tmp_path / "more.yaml").write_text(
        "policies: [{id: more, effect: allow, actions: ['*'], resources: ['*']}]"
    )
    main(["compile", str(policies), "more.yaml"])
    main(["compile", "more.yaml", str(policies)])
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


def test_a_path_given_twice_is_read_once(policies, capsys):
    assert main(["compile", str(policies), str(policies)]) == 0
    assert capsys.readouterr().out.startswith("2 policies, ")


def test_all_issues_of_all_files_are_told(policies, capsys):
    (policies / "a.yaml").write_text("policies:\n  - {id: a}\n")
    (policies / "b.yaml").write_text("polices: []\n")
    assert main(["compile", str(policies)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "a.yaml:2:5: error: the key `effect` is missing" in printed.err
    assert "b.yaml:1:1: error: unknown key `polices`" in printed.err
    assert "did you mean `policies`?" in printed.err
    assert re.search(r"taskman-authz: \d+ errors\n$", printed.err)


def test_a_policy_test_is_told_for_what_it_is_in_one_issue(policies, capsys):
    test = policies / "notes_test.yaml"
    test.write_text("policies: [notes.yaml]\nfixtures: {}\nmatrix: []\ncases: []\n")
    assert main(["compile", str(test)]) == 2
    printed = capsys.readouterr().err
    assert "this is a test of policies, not a policy document [not_a_policy]" in printed
    assert f"hint: `policy-test {test}` runs it" in printed
    assert "1 error\n" in printed


def test_a_path_that_is_not_there_is_named(policies, capsys):
    assert main(["compile", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
