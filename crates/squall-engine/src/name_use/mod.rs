//! What a set's verdict on a sample depends on besides the sample's bytes.
//!
//! A verdict is the same for two samples with the same bytes whose names are of
//! one class. The class of a name is made of
//!
//! * the answers to everything that YARA rules ask of the variables `filename`,
//!   `filepath` and `extension` ([`questions`]): the engine itself is asked, with
//!   a small set of rules of which each is one question. Where a rule does
//!   something else with a variable, its value belongs to the class;
//! * what the heuristics see of a name (`heuristics::name_class`);
//! * the answers to what STIX patterns ask of a name;
//! * the whole name, where filename IOCs match it: what they point at is in it.
//!
//! Names of members are content: what depends on the name of the container
//! they are in is the path, which only the filename IOCs see. So an outcome with
//! members is of one name (see [`crate::reuse`]).
//!
//! The other variables are never set or depend on the bytes alone.

mod questions;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use yara_x::{Compiler, Rules};

use crate::heuristics;
use crate::name::Name;
use crate::set::SignatureSet;
use crate::source::SourceFile;

/// The variables of rules that depend on a sample's name.
pub(crate) const NAME_VARIABLES: [&str; 3] = ["filename", "filepath", "extension"];

/// The most questions; beyond, whole values belong to the class.
const QUESTIONS_MAX: usize = 20_000;

/// What the rules of a set ask of names.
pub(crate) struct NameUse {
    text: NameUseText,
    /// A rule for each question, named by its number.
    rules: Rules,
}

/// The part of [`NameUse`] that is stored as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NameUseText {
    /// Conditions about one variable, each once.
    questions: Vec<String>,
    /// Numbers of the variables of which rules may see anything.
    open: Vec<usize>,
    /// Why no verdict may be used twice, if so.
    unstable: Option<String>,
}

impl NameUse {
    /// Finds out what the rules in `files` ask.
    pub(crate) fn of(files: &[SourceFile]) -> Self {
        let mut text = questions::of(files);
        if text.questions.len() > QUESTIONS_MAX {
            text.leave_open();
        }
        let rules = compile(&text.questions).unwrap_or_else(|| {
            text.leave_open();
            Compiler::new().build()
        });
        Self { text, rules }
    }

    /// Puts together what was stored.
    pub(crate) fn restore(text: NameUseText, rules: Rules) -> Self {
        Self { text, rules }
    }

    pub(crate) fn text(&self) -> &NameUseText {
        &self.text
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Returns why no verdict of the set may be used twice, if so.
    pub(crate) fn unstable(&self) -> Option<&str> {
        self.text.unstable.as_deref()
    }
}

impl NameUseText {
    fn leave_open(&mut self) {
        self.questions.clear();
        self.open = (0..NAME_VARIABLES.len()).collect();
    }
}

/// Makes a rule of each question; `None` if one of them cannot stand alone.
fn compile(questions: &[String]) -> Option<Rules> {
    let mut compiler = Compiler::new();
    compiler.relaxed_re_syntax(true);
    for variable in NAME_VARIABLES {
        compiler.define_global(variable, "").ok()?;
    }
    for (number, question) in questions.iter().enumerate() {
        let rule = format!("rule q{number} {{ condition: {question} }}");
        compiler.add_source(rule.as_str()).ok()?;
    }
    Some(compiler.build())
}

/// Names whose classes are kept.
const KEPT_MAX: usize = 1024;
/// Longer names are not kept.
const KEPT_LEN_MAX: usize = 512;

/// Tells the class of names, for one thread.
pub(crate) struct NameClasses<'set> {
    set: &'set SignatureSet,
    scanner: yara_x::Scanner<'set>,
    /// Fleets share names, and uploads come in bursts of the same.
    kept: HashMap<String, NameClass>,
}

/// What a verdict can depend on of a name; equal for names that no signature
/// can tell from each other.
pub(crate) type NameClass = [u8; 32];

impl<'set> NameClasses<'set> {
    pub(crate) fn new(set: &'set SignatureSet) -> Self {
        Self {
            set,
            scanner: yara_x::Scanner::new(set.name_use().rules()),
            kept: HashMap::new(),
        }
    }

    /// Returns the class of a sample's name.
    pub(crate) fn class(&mut self, path: &str) -> NameClass {
        if let Some(class) = self.kept.get(path) {
            return *class;
        }
        let class = self.find(path);
        if path.len() <= KEPT_LEN_MAX {
            if self.kept.len() >= KEPT_MAX {
                self.kept.clear();
            }
            self.kept.insert(path.to_owned(), class);
        }
        class
    }

    fn find(&mut self, path: &str) -> NameClass {
        let mut facts = Facts::default();
        let iocs = self.set.iocs();
        if iocs.sees_path(path) || !self.ask_rules(path, &mut facts) {
            facts.add(b'p', path.as_bytes());
        }
        if !iocs.add_stix_names(path, |fact| facts.add(b's', fact)) {
            facts.add(b'p', path.as_bytes());
        }
        if self.set.uses_heuristics() {
            let class = heuristics::name_class(path);
            facts.add(b'e', class.extension.as_bytes());
            facts.add(b'b', class.odd_name.unwrap_or_default().as_bytes());
        }
        facts.0.finalize().into()
    }

    /// Adds the answers to the rules' questions; false if the engine has none.
    fn ask_rules(&mut self, path: &str, facts: &mut Facts) -> bool {
        let use_of_names = self.set.name_use();
        let name = Name::of(path);
        let extension = name_extension(path);
        let values = [name.base, name.directory, extension.as_str()];
        for &open in &use_of_names.text.open {
            facts.add(b'v', values.get(open).copied().unwrap_or(path).as_bytes());
        }
        if use_of_names.text.questions.is_empty() {
            return true;
        }
        for (variable, value) in NAME_VARIABLES.into_iter().zip(values) {
            if self.scanner.set_global(variable, value).is_err() {
                return false;
            }
        }
        let Ok(results) = self.scanner.scan(&[]) else {
            return false;
        };
        let mut yes: Vec<&str> = results
            .matching_rules()
            .map(|rule| rule.identifier())
            .collect();
        yes.sort_unstable();
        for question in yes {
            facts.add(b'q', question.as_bytes());
        }
        true
    }
}

/// The extension of a path as rules see it: that of the last member, should
/// there be a `|` in it.
pub(crate) fn name_extension(path: &str) -> String {
    Name::of(path.rsplit('|').next().unwrap_or(path)).extension()
}

/// Facts, each with its kind and its length, so that no two lists of them look
/// the same.
#[derive(Default)]
struct Facts(Sha256);

impl Facts {
    fn add(&mut self, kind: u8, fact: &[u8]) {
        self.0.update([kind]);
        self.0.update((fact.len() as u64).to_le_bytes());
        self.0.update(fact);
    }
}

#[cfg(test)]
mod tests;
