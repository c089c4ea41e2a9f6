//! The public rule set that most users bring.

use squall_engine::read_directory;
use squall_types::{Level, SignatureOrigin};

use crate::{compile, rule_names, scan, shared, skipped};

#[test]
fn nearly_every_rule_is_active_and_the_reference_samples_match() {
    let Some(directory) = shared("signature-base") else {
        return;
    };
    let (files, errors) = read_directory(&directory, SignatureOrigin::Internal).expect("readable");
    assert!(errors.is_empty(), "{errors:?}");
    let set = compile(&files);
    let skipped = skipped(&set);
    println!(
        "{} rules active, skipped: {skipped:#?}",
        set.summary().rules
    );
    let declared = set.summary().rules + set.summary().skipped;
    assert!(
        set.summary().rules * 1000 >= declared * 995,
        "{} of {declared} active, skipped: {skipped:#?}",
        set.summary().rules
    );
    assert!(set.summary().rules >= 5_800, "{}", set.summary().rules);

    for name in ["sekurlsa.log", "webshell.txt"] {
        let Some(path) = shared(&format!("reference/samples/{name}")) else {
            return;
        };
        let content = std::fs::read(path).expect("readable");
        let outcome = scan(&set, name, &content);
        assert!(!rule_names(&outcome).is_empty(), "{name}");
        assert!(outcome.findings[0].level >= Level::Warning, "{name}");
    }
}
