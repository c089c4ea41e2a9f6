//! What the conditions of rules ask of a sample's name.
//!
//! A question is a comparison of one of [`NAME_VARIABLES`] with a literal:
//! `filename matches /^a/`, `extension == ".exe"`. The condition can then depend
//! on the variable through the answer only. A variable that is used in any
//! other way is open: its whole value counts.

use std::collections::HashSet;

use memchr::memmem;
use yara_x_parser::ast::dfs::{DFSEvent, DFSIter};
use yara_x_parser::ast::{AST, BinaryExpr, Expr, Item, WithSpan as _};

use super::{NAME_VARIABLES, NameUseText};
use crate::ioc::kind_of;
use crate::source::SourceFile;

/// The module whose functions give another answer at every scan.
const TIME_MODULE: &str = "time";

/// What is included was put into the text when the file was read. Should a
/// statement be left, nobody knows what the engine finds for it.
const INCLUDE: &str = "include";

/// Collects the questions of all rules.
pub(super) fn of(files: &[SourceFile]) -> NameUseText {
    let mut collected = Collected::default();
    for file in files {
        let content = &file.content;
        let has = |word: &&str| memmem::find(content, word.as_bytes()).is_some();
        // Most files ask nothing; parsing all of them again would take long.
        let is_of_interest = NAME_VARIABLES.iter().any(has) || has(&TIME_MODULE) || has(&INCLUDE);
        if kind_of(&file.name).is_none() && is_of_interest {
            collected.add(content);
        }
    }
    collected.text
}

#[derive(Default)]
struct Collected {
    text: NameUseText,
    known: HashSet<String>,
}

impl Collected {
    fn add(&mut self, source: &[u8]) {
        let ast = AST::from(source);
        if ast
            .imports()
            .any(|import| import.module_name == TIME_MODULE)
        {
            self.text.unstable = Some("a rule looks at the clock".to_owned());
        }
        let includes = |item: &Item<'_>| matches!(item, Item::Include(_));
        if ast.items().any(includes) {
            self.text.unstable = Some("a rule file includes another one".to_owned());
        }
        for rule in ast.rules() {
            self.add_condition(source, &rule.condition);
        }
    }

    fn add_condition(&mut self, source: &[u8], condition: &Expr<'_>) {
        let mut walk = DFSIter::new(condition);
        while let Some(event) = walk.next() {
            let DFSEvent::Enter(expr) = event else {
                continue;
            };
            if is_question(expr) {
                walk.prune();
                let span = expr.span();
                let text = source.get(span.range()).map(String::from_utf8_lossy);
                self.add_question(&text.unwrap_or_default());
            } else if let Expr::Ident(ident) = expr {
                self.open(ident.name);
            }
        }
    }

    fn add_question(&mut self, text: &str) {
        if self.known.insert(text.to_owned()) {
            self.text.questions.push(text.to_owned());
        }
    }

    fn open(&mut self, name: &str) {
        let number = NAME_VARIABLES.iter().position(|variable| *variable == name);
        if let Some(number) = number
            && !self.text.open.contains(&number)
        {
            self.text.open.push(number);
        }
    }
}

/// Tells whether an expression compares a variable of the name with a literal.
fn is_question(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::Eq(sides)
        | Expr::Ne(sides)
        | Expr::Contains(sides)
        | Expr::IContains(sides)
        | Expr::StartsWith(sides)
        | Expr::IStartsWith(sides)
        | Expr::EndsWith(sides)
        | Expr::IEndsWith(sides)
        | Expr::IEquals(sides)
        | Expr::Matches(sides) => compares(sides),
        _ => false,
    }
}

fn compares(sides: &BinaryExpr<'_>) -> bool {
    let is_variable = |side: &Expr<'_>| matches!(side, Expr::Ident(ident) if NAME_VARIABLES.contains(&ident.name));
    let is_literal = |side: &Expr<'_>| matches!(side, Expr::LiteralString(_) | Expr::Regexp(_));
    (is_variable(&sides.lhs) && is_literal(&sides.rhs))
        || (is_literal(&sides.lhs) && is_variable(&sides.rhs))
}
