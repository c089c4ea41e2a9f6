//! Whether new signatures are fit to be put in force.

use std::path::Path;

use anyhow::Context as _;
use squall_engine::{
    Problem, Severity, SignatureSet, SourceFile, Tally, is_signature_file, tally_lists,
};
use squall_types::SignatureSummary;

use super::is_rule_file;
use super::store::Candidate;
use crate::config;

/// Refuses a replacement that has more broken than usable signatures: files
/// that are just being written, or of another kind altogether. A start takes
/// what there is.
///
/// # Errors
///
/// Fails if that is so.
pub(crate) fn refuse_mostly_broken(summary: &SignatureSummary) -> anyhow::Result<()> {
    let usable = summary.rules + summary.iocs;
    anyhow::ensure!(
        summary.skipped <= usable,
        "{} signatures are broken and only {usable} usable",
        summary.skipped
    );
    Ok(())
}

/// Counts what the lists of fetched bundles bring, for each of them. Before the
/// set is made, so that no two tables of ten million digests are in memory.
pub(crate) fn tally_bundles(files: &[SourceFile], candidates: &[Candidate]) -> Vec<Tally> {
    let tally = |candidate: &Candidate| {
        let shown = candidate.slot.current();
        let is_inside = |file: &&SourceFile| Path::new(&file.name).starts_with(&shown);
        tally_lists(files.iter().filter(is_inside))
    };
    candidates.iter().map(tally).collect()
}

/// Refuses fetched bundles of which nothing can be used or more is broken than
/// usable, whatever else is in the set beside them. `lists` is what
/// [`tally_bundles`] counted.
///
/// # Errors
///
/// Fails if there is one.
pub(crate) fn refuse_unfit_bundles(
    set: &SignatureSet,
    candidates: &[Candidate],
    lists: &[Tally],
) -> anyhow::Result<()> {
    for (candidate, lists) in candidates.iter().zip(lists) {
        let rules = tally_rules(set, &candidate.slot.current());
        refuse_unfit(rules, *lists)
            .with_context(|| format!("of `{}`", config::public(&candidate.state.location)))?;
    }
    Ok(())
}

/// Counts the rules of a bundle that are usable and those that are broken.
fn tally_rules(set: &SignatureSet, bundle: &Path) -> Tally {
    let is_inside = |file: &str| Path::new(file).starts_with(bundle);
    let usable = set.rule_list().filter(|(file, _)| is_inside(file)).count();
    let broken = |problem: &&Problem| {
        problem.severity == Severity::Skipped
            && is_inside(&problem.file)
            // A line of a list is no rule; an included file has any name.
            && !is_list(Path::new(&problem.file))
    };
    Tally {
        usable: usable as u64,
        broken: set.problems().iter().filter(broken).count() as u64,
    }
}

/// Good lists excuse no broken rules: those are what a source of rules is for.
fn refuse_unfit(rules: Tally, lists: Tally) -> anyhow::Result<()> {
    anyhow::ensure!(
        rules.broken <= rules.usable,
        "{} rules are broken and only {} usable",
        rules.broken,
        rules.usable
    );
    let (usable, broken) = (rules.usable + lists.usable, rules.broken + lists.broken);
    anyhow::ensure!(usable > 0, "no rule and no indicator is usable");
    anyhow::ensure!(
        broken <= usable,
        "{broken} rules and lines of lists are broken and only {usable} usable"
    );
    Ok(())
}

fn is_list(path: &Path) -> bool {
    is_signature_file(path) && !is_rule_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_of_use_by_itself_or_refused() {
        let tally = |(usable, broken)| Tally { usable, broken };
        for (rules, lists, is_fit) in [
            ((1, 0), (0, 0), true),
            ((0, 0), (1, 0), true),
            ((5, 5), (0, 0), true),
            ((9, 0), (0, 5), true),
            ((0, 0), (0, 0), false),
            ((0, 0), (0, 5), false),
            ((1, 0), (1, 3), false),
            ((1, 2), (100, 0), false),
        ] {
            let refused = refuse_unfit(tally(rules), tally(lists));
            assert_eq!(refused.is_ok(), is_fit, "{rules:?} {lists:?}");
        }
    }
}
