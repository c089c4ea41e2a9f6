use squall_types::SignatureOrigin;

use super::*;
use crate::{CompileOptions, Included, SignatureSet};

fn files(rules: &str) -> Vec<SourceFile> {
    vec![SourceFile {
        name: "test.yar".to_owned(),
        content: rules.into(),
        origin: SignatureOrigin::Internal,
        modified: None,
        included: Included::default(),
    }]
}

fn conditions(conditions: &[&str]) -> Vec<SourceFile> {
    let rules: Vec<String> = conditions
        .iter()
        .enumerate()
        .map(|(at, condition)| format!("rule r{at} {{ condition: {condition} }}"))
        .collect();
    files(&rules.join("\n"))
}

#[test]
fn comparisons_with_literals_are_questions_and_all_else_leaves_the_variable_open() {
    for (condition, questions, open) in [
        ("filesize > 5", &[][..], &[][..]),
        (r#"filename == "a""#, &[r#"filename == "a""#], &[]),
        (r#""a" == filename"#, &[r#""a" == filename"#], &[]),
        (
            r#"filesize < 9 and not (filename matches /a\/b$/i or extension != ".x")"#,
            &[r"filename matches /a\/b$/i", r#"extension != ".x""#],
            &[],
        ),
        (
            r#"any of (filepath icontains "t", filepath contains "u")"#,
            &[r#"filepath icontains "t""#, r#"filepath contains "u""#],
            &[],
        ),
        (
            r#"for any s in ("a", "b") : (filename startswith s)"#,
            &[],
            &[0],
        ),
        ("filename == filetype", &[], &[0]),
        (
            r#"filepath == md5 or extension == ".x""#,
            &[r#"extension == ".x""#],
            &[1],
        ),
        (r#"with f = extension : (f == ".x")"#, &[], &[2]),
        (r#"filetype == "EXE" and owner == "root""#, &[], &[]),
        ("defined filename", &[], &[0]),
    ] {
        let text = questions::of(&conditions(&[condition]));
        assert_eq!(text.questions, questions, "{condition}");
        assert_eq!(text.open, open, "{condition}");
        assert_eq!(text.unstable, None, "{condition}");
    }
}

#[test]
fn sets_with_a_clock_or_with_includes_keep_no_verdicts() {
    for (rules, is_unstable) in [
        ("import \"time\" rule r { condition: time.now() > 5 }", true),
        ("include \"other.yar\"\nrule r { condition: true }", true),
        ("// the time it takes\nrule time { condition: true }", false),
        (
            "import \"math\" rule r { condition: math.min(1, 2) == 1 }",
            false,
        ),
    ] {
        let use_of_names = NameUse::of(&files(rules));
        assert_eq!(use_of_names.unstable().is_some(), is_unstable, "{rules}");
    }
}

fn set(conditions_of_rules: &[&str]) -> SignatureSet {
    let files = conditions(conditions_of_rules);
    SignatureSet::compile(&files, CompileOptions { pure_yara: true }, |_| {}).expect("a set")
}

#[test]
fn names_are_of_one_class_when_all_answers_are_the_same() {
    for (condition, one, other, same) in [
        ("true", "/a/b.exe", "x", true),
        (r#"filename == "b""#, "/a/b", "/c/b", true),
        (r#"filename == "b""#, "/a/c", "/c/d", true),
        (r#"filename == "b""#, "/a/b", "/a/c", false),
        (r#"filename icontains "B""#, "xbx", "BB", true),
        (r#"filepath contains "tmp""#, "/tmp/x", "/var/tmp/y", true),
        (r#"filepath contains "tmp""#, "/tmp/x", "tmp", false),
        (r#"filepath endswith "\\x""#, r"C:\x\y", r"D:\x\z", true),
        (r#"extension == ".exe""#, "A.EXE", "/x/b.exe", true),
        (r#"extension == ".exe""#, "A.EXE", "A.EX", false),
        ("filename == filetype", "/a/b", "/c/b", true),
        ("filename == filetype", "/a/b", "/a/c", false),
        (r"filename matches /^\d+$/", "/a/12", "/b/3", true),
        (r"filename matches /^\d+$/", "/a/12", "/b/x", false),
    ] {
        let set = set(&[condition]);
        let mut classes = NameClasses::new(&set);
        for (one, other) in [(one, other), (other, one)] {
            let is_same = classes.class(one) == classes.class(other);
            assert_eq!(is_same, same, "{condition}: {one} {other}");
        }
        // Kept or found anew.
        assert_eq!(classes.class(one), NameClasses::new(&set).class(one));
    }
}

#[test]
fn a_question_that_cannot_stand_alone_leaves_everything_open() {
    let mut text = NameUseText {
        questions: vec!["filename ==".to_owned()],
        ..NameUseText::default()
    };
    assert!(compile(&text.questions).is_none());
    text.leave_open();
    assert_eq!(text.open, [0, 1, 2]);
}
