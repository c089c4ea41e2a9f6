//! The self-test of a compiled set: it must find the EICAR file.
//!
//! A set may lack a rule for it, and a rule may be trusted away, so each set
//! holds one of our own, which asks for a variable that only the self-test
//! sets: no sample can ever match it. What is tested is everything around that
//! rule: that the compiled code of the whole set loads, runs and finds.

use std::time::Duration;

use squall_types::Digests;
use yara_x::{Compiler, SourceCode};

use crate::scan::{Sample, ScanLimits, Scanner};
use crate::set::{SetError, SignatureSet};

/// The namespace of the rule, which no file can have: a name never begins with
/// this character.
pub(crate) const NAMESPACE: &str = "\u{1}squall self-test";

/// How many rules of a set belong to the self-test.
pub(crate) const RULES: u64 = 1;

/// The variable that is true during the self-test only.
const VARIABLE: &str = "squall_self_test";

const RULE_NAME: &str = "SQUALL_SelfTest";

/// The longest time for it.
const TIME_MAX: Duration = Duration::from_secs(60);

/// A set that must not be put in force.
#[derive(Debug, thiserror::Error)]
pub enum SelfTestError {
    /// The scanner did not find what it must find.
    #[error("the self-test failed: the EICAR file was not found")]
    NotFound,
    /// The scan did not end in order.
    #[error("the self-test failed: {0}")]
    Incomplete(String),
}

/// Adds the rule and its variable to a compiler.
pub(crate) fn add_to(compiler: &mut Compiler<'static>) -> Result<(), SetError> {
    compiler
        .define_global(VARIABLE, false)
        .map_err(|_| SetError::Variable(VARIABLE))?;
    compiler.new_namespace(NAMESPACE);
    let text = eicar().replace('\\', "\\\\");
    let rule = format!(
        "rule {RULE_NAME} {{ meta: score = 100 strings: $eicar = \"{text}\" \
         condition: {VARIABLE} and $eicar at 0 }}"
    );
    compiler
        .add_source(SourceCode::from(rule.as_str()))
        .map(|_| ())
        .map_err(|error| SetError::SelfTestRule(Box::new(error)))
}

/// Returns the EICAR test file. Put together here, so that this program does
/// not hold it and is not taken for it.
fn eicar() -> String {
    let halves = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}", "$EICAR-STANDARD-"];
    format!("{}{}ANTIVIRUS-TEST-FILE!$H+H*", halves[0], halves[1])
}

impl SignatureSet {
    /// Has a scanner of this set scan the EICAR file.
    ///
    /// # Errors
    ///
    /// Fails if it is not found: the set must not be put in force.
    pub fn self_test(&self) -> Result<(), SelfTestError> {
        let limits = ScanLimits {
            time_max: TIME_MAX,
            unpack: None,
            ..ScanLimits::default()
        };
        Scanner::new(self, limits).find_eicar()
    }
}

impl Scanner<'_> {
    /// Scans the EICAR file, with this very scanner: what is tested is whether it
    /// still finds. Afterwards it is as it was.
    ///
    /// # Errors
    ///
    /// Fails if the file is not found: the scanner should not be used any more.
    pub fn self_test(&mut self) -> Result<(), SelfTestError> {
        let own = self.replace_limits(ScanLimits {
            time_max: TIME_MAX,
            unpack: None,
            ..ScanLimits::default()
        });
        let result = self.find_eicar();
        self.replace_limits(own);
        result
    }

    fn find_eicar(&mut self) -> Result<(), SelfTestError> {
        if !self.set_flag(VARIABLE, true) {
            return Err(SelfTestError::NotFound);
        }
        let content = eicar();
        let outcome = self.scan(&Sample {
            content: content.as_bytes(),
            file_name: "eicar.com",
            // Not its own: the operator may trust the file.
            digests: Digests::default(),
        });
        self.set_flag(VARIABLE, false);
        if let Some(incomplete) = outcome.incomplete.first() {
            return Err(SelfTestError::Incomplete(incomplete.description.clone()));
        }
        let found = outcome
            .findings
            .iter()
            .flat_map(|finding| &finding.matches)
            .any(|found| found.rule_name == RULE_NAME);
        if found {
            Ok(())
        } else {
            Err(SelfTestError::NotFound)
        }
    }
}
