//! Reads a STIX pattern: recursive descent, bounded in length and depth.

use regex::Regex;
use squall_types::MatchField;

use super::lexer::{self, Comparison, Token};

/// The longest pattern.
pub(super) const PATTERN_MAX_BYTES: usize = 1 << 20;

/// How deep parentheses may nest.
const DEPTH_MAX: usize = 64;

/// The most comparisons of one pattern.
const TESTS_MAX: usize = 20_000;

/// The largest compiled form of one `LIKE` or `MATCHES`.
const REGEX_SIZE_MAX_BYTES: usize = 1 << 20;

/// The memory that one of them may use to be fast, for each thread.
const REGEX_CACHE_MAX_BYTES: usize = 32 << 10;

/// Why a pattern cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(in crate::ioc) enum PatternError {
    /// A character that begins nothing.
    #[error("unexpected character `{0}` in pattern")]
    Character(char),
    /// A quote or bracket is never closed.
    #[error("pattern ends inside a quoted text")]
    OpenQuote,
    /// Something else was expected.
    #[error("expected {0} in pattern")]
    Expected(&'static str),
    /// The pattern is too long.
    #[error("pattern is {0} bytes long, limit is {PATTERN_MAX_BYTES}")]
    TooLong(usize),
    /// The pattern is nested too deep.
    #[error("pattern is nested deeper than {DEPTH_MAX}")]
    TooDeep,
    /// The pattern has too many comparisons.
    #[error("pattern has more than {TESTS_MAX} comparisons")]
    TooMany,
}

/// A pattern, or a part of one.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    /// All of them.
    And(Vec<Expr>),
    /// One of them.
    Or(Vec<Expr>),
    /// One comparison.
    Test(Test),
    /// Something that a file cannot be asked, and why.
    Unsupported(String),
}

/// One comparison.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// Of the name or its directory.
    Text {
        /// Of which.
        subject: Subject,
        /// With what.
        test: TextTest,
        /// Whether it must not hold.
        negated: bool,
    },
    /// Of a digest.
    Hash {
        /// Of which.
        field: MatchField,
        /// With which; any of them.
        digests: Vec<Vec<u8>>,
        /// Whether it must not hold.
        negated: bool,
    },
    /// Of the size in bytes.
    Size {
        /// How.
        comparison: Comparison,
        /// With what.
        value: i128,
        /// Whether it must not hold.
        negated: bool,
    },
}

/// What a text is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The last component of the path.
    Name,
    /// What is before it.
    Directory,
    /// All of it: for names that have a separator in them.
    Path,
}

/// How a text is compared.
#[derive(Clone, Debug)]
pub(super) enum TextTest {
    /// It is one of these.
    Equal(Vec<String>),
    /// It matches.
    Regex(Regex),
}

/// Reads a pattern.
///
/// What is well formed but cannot be asked of a file is part of the result as
/// [`Expr::Unsupported`].
///
/// # Errors
///
/// Fails if the pattern is malformed or exceeds a limit.
pub(super) fn parse(pattern: &str) -> Result<Expr, PatternError> {
    if pattern.len() > PATTERN_MAX_BYTES {
        return Err(PatternError::TooLong(pattern.len()));
    }
    let mut parser = Parser {
        tokens: lexer::tokens(pattern)?.into_iter().peekable(),
        depth: 0,
        tests: 0,
    };
    let expr = parser.observations()?;
    match parser.tokens.next() {
        None => Ok(expr),
        Some(_) => Err(PatternError::Expected("the end")),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
    tests: usize,
}

/// Reads one operand of a chain.
type Operand = fn(&mut Parser) -> Result<Expr, PatternError>;

impl Parser {
    /// Reads `a OR b AND c FOLLOWEDBY d` outside of brackets.
    fn observations(&mut self) -> Result<Expr, PatternError> {
        self.chain("FOLLOWEDBY", followed_by, |parser| {
            parser.chain("OR", Expr::Or, |parser| {
                parser.chain("AND", Expr::And, Self::observation)
            })
        })
    }

    fn observation(&mut self) -> Result<Expr, PatternError> {
        let expr = match self.tokens.next() {
            Some(Token::BracketOpen) => {
                let expr = self.nested(Self::comparisons)?;
                self.expect(&Token::BracketClose, "`]`")?;
                expr
            }
            Some(Token::ParenOpen) => {
                let expr = self.nested(Self::observations)?;
                self.expect(&Token::ParenClose, "`)`")?;
                expr
            }
            _ => return Err(PatternError::Expected("`[`")),
        };
        Ok(match self.qualifier() {
            None => expr,
            Some(word) => Expr::Unsupported(format!("{word} speaks of more than one file")),
        })
    }

    /// Reads `WITHIN 5 SECONDS` and the like, and returns its first word.
    fn qualifier(&mut self) -> Option<String> {
        let first = self.tokens.next_if(|token| {
            matches!(token, Token::Word(word)
                if matches!(word.as_str(), "WITHIN" | "REPEATS" | "START"))
        });
        let Some(Token::Word(word)) = first else {
            return None;
        };
        let is_rest = |token: &Token| match token {
            Token::Word(word) => !matches!(word.as_str(), "AND" | "OR" | "FOLLOWEDBY"),
            Token::Number(_) | Token::Text(_) | Token::Other(_) => true,
            _ => false,
        };
        while self.tokens.next_if(is_rest).is_some() {}
        Some(word)
    }

    /// Reads `a OR b AND c` inside of brackets.
    fn comparisons(&mut self) -> Result<Expr, PatternError> {
        self.chain("OR", Expr::Or, |parser| {
            parser.chain("AND", Expr::And, Self::comparison)
        })
    }

    fn chain(
        &mut self,
        word: &'static str,
        join: fn(Vec<Expr>) -> Expr,
        operand: Operand,
    ) -> Result<Expr, PatternError> {
        let first = operand(self)?;
        if !self.take_word(word) {
            return Ok(first);
        }
        let mut operands = vec![first, operand(self)?];
        while self.take_word(word) {
            operands.push(operand(self)?);
        }
        Ok(join(operands))
    }

    fn nested(&mut self, operand: Operand) -> Result<Expr, PatternError> {
        if self.depth == DEPTH_MAX {
            return Err(PatternError::TooDeep);
        }
        self.depth += 1;
        let expr = operand(self);
        self.depth -= 1;
        expr
    }

    fn comparison(&mut self) -> Result<Expr, PatternError> {
        self.tests += 1;
        if self.tests > TESTS_MAX {
            return Err(PatternError::TooMany);
        }
        match self.tokens.next() {
            Some(Token::ParenOpen) => {
                let expr = self.nested(Self::comparisons)?;
                self.expect(&Token::ParenClose, "`)`")?;
                Ok(expr)
            }
            Some(Token::Path { object, path }) => {
                let negated = self.take_word("NOT");
                let operator = self.operator()?;
                let values = self.values(operator == Operator::In)?;
                Ok(super::test::make(&object, &path, negated, operator, values))
            }
            Some(Token::Word(word)) if word == "EXISTS" => match self.tokens.next() {
                Some(Token::Path { .. }) => {
                    Ok(Expr::Unsupported("EXISTS is not supported".to_owned()))
                }
                _ => Err(PatternError::Expected("an object path behind EXISTS")),
            },
            // `NOT file:name = 'x'`, which some tools write.
            Some(Token::Word(word)) if word == "NOT" => {
                self.nested(Self::comparison)?;
                Ok(Expr::Unsupported(
                    "NOT before a comparison is not supported".to_owned(),
                ))
            }
            _ => Err(PatternError::Expected("an object path")),
        }
    }

    fn operator(&mut self) -> Result<Operator, PatternError> {
        match self.tokens.next() {
            Some(Token::Compare(comparison)) => Ok(Operator::Compare(comparison)),
            Some(Token::Word(word)) => match word.as_str() {
                "IN" => Ok(Operator::In),
                "LIKE" => Ok(Operator::Like),
                "MATCHES" => Ok(Operator::Matches),
                "ISSUBSET" | "ISSUPERSET" => Ok(Operator::Subset),
                _ => Err(PatternError::Expected("an operator")),
            },
            _ => Err(PatternError::Expected("an operator")),
        }
    }

    fn values(&mut self, is_set: bool) -> Result<Vec<Value>, PatternError> {
        if !is_set {
            return Ok(vec![self.value()?]);
        }
        self.expect(&Token::ParenOpen, "`(` behind IN")?;
        let mut values = vec![self.value()?];
        while self.tokens.next_if_eq(&Token::Comma).is_some() {
            values.push(self.value()?);
        }
        self.expect(&Token::ParenClose, "`)` behind the values of IN")?;
        Ok(values)
    }

    fn value(&mut self) -> Result<Value, PatternError> {
        match self.tokens.next() {
            Some(Token::Text(text)) => Ok(Value::Text(text)),
            Some(Token::Number(number)) => Ok(Value::Number(number)),
            Some(Token::Other(_)) => Ok(Value::Other),
            Some(Token::Word(word)) if word == "TRUE" || word == "FALSE" => Ok(Value::Other),
            _ => Err(PatternError::Expected("a value")),
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.tokens
            .next_if(|token| matches!(token, Token::Word(found) if found == word))
            .is_some()
    }

    fn expect(&mut self, token: &Token, what: &'static str) -> Result<(), PatternError> {
        match self.tokens.next_if_eq(token) {
            Some(_) => Ok(()),
            None => Err(PatternError::Expected(what)),
        }
    }
}

fn followed_by(_: Vec<Expr>) -> Expr {
    Expr::Unsupported("FOLLOWEDBY speaks of more than one file".to_owned())
}

/// How a path is compared with values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// By order.
    Compare(Comparison),
    /// It is one of several.
    In,
    /// By `%` and `_`.
    Like,
    /// By a regular expression.
    Matches,
    /// Of networks.
    Subset,
}

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A text.
    Text(String),
    /// A number, as written.
    Number(String),
    /// Any other.
    Other,
}

/// Compiles an expression within the limits.
///
/// # Errors
///
/// Returns what is wrong with it, on one line.
pub(super) fn regex(expression: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(expression)
        .size_limit(REGEX_SIZE_MAX_BYTES)
        .dfa_size_limit(REGEX_CACHE_MAX_BYTES)
        .build()
        .map_err(|error| {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Renders the shape of an expression.
    fn shape(expr: &Expr) -> String {
        let join = |parts: &[Expr], with: &str| {
            let parts: Vec<_> = parts.iter().map(shape).collect();
            format!("({})", parts.join(with))
        };
        match expr {
            Expr::And(parts) => join(parts, "&"),
            Expr::Or(parts) => join(parts, "|"),
            Expr::Test(Test::Size { value, .. }) => value.to_string(),
            Expr::Test(_) => "t".to_owned(),
            Expr::Unsupported(_) => "?".to_owned(),
        }
    }

    #[test]
    fn and_binds_more_tightly_than_or() {
        let s = |i| format!("file:size = {i}");
        for (pattern, expected) in [
            (format!("[{}]", s(1)), "1"),
            (format!("[{} OR {} AND {}]", s(1), s(2), s(3)), "(1|(2&3))"),
            (
                format!("[({} OR {}) AND {}]", s(1), s(2), s(3)),
                "((1|2)&3)",
            ),
            (
                format!("[{}] AND [{}] OR [{}]", s(1), s(2), s(3)),
                "((1&2)|3)",
            ),
            (
                format!("([{}] OR [{}]) and [{}]", s(1), s(2), s(3)),
                "((1|2)&3)",
            ),
            (format!("[{}] FOLLOWEDBY [{}]", s(1), s(2)), "?"),
            (
                format!("[{}] REPEATS 2 TIMES WITHIN 5 SECONDS OR [{}]", s(1), s(2)),
                "(?|2)",
            ),
            (format!("[{}] START t'x' STOP t'y'", s(1)), "?"),
            ("[EXISTS file:name OR file:size = 2]".to_owned(), "(?|2)"),
            ("[NOT file:size = 1]".to_owned(), "?"),
            ("[ipv4-addr:value ISSUBSET '1.0.0.0/8']".to_owned(), "?"),
        ] {
            assert_eq!(
                parse(&pattern).map(|e| shape(&e)),
                Ok(expected.to_owned()),
                "{pattern}"
            );
        }
    }

    #[test]
    fn malformed_patterns_are_refused() {
        for pattern in [
            "",
            "[",
            "[]",
            "file:size = 1",
            "[file:size = 1",
            "[file:size = 1]]",
            "[file:size 1]",
            "[file:size = ]",
            "[file:size = 1 AND]",
            "[(file:size = 1]",
            "[file:name IN 'a']",
            "[file:name IN ('a']",
            "[file:name LIKES 'a']",
            "[= 1]",
            "[file:size = 1] x",
            "[EXISTS]",
            "[file:size = 1] AND",
            "()",
        ] {
            assert!(parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn length_depth_and_number_are_bounded() {
        let deep =
            |depth: usize| format!("[{}file:size = 1{}]", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&deep(DEPTH_MAX - 1)).is_ok());
        assert_eq!(parse(&deep(100_000)).err(), Some(PatternError::TooDeep));
        let nots = format!("[{}file:size = 1]", "NOT ".repeat(100_000));
        assert_eq!(parse(&nots).err(), Some(PatternError::TooDeep));
        let followed = "[file:size = 1] FOLLOWEDBY ".repeat(30_000) + "[file:size = 1]";
        assert_eq!(parse(&followed).err(), Some(PatternError::TooMany));
        let wide = format!("[{}file:size = 1]", "file:size = 1 OR ".repeat(TESTS_MAX));
        assert_eq!(parse(&wide).err(), Some(PatternError::TooMany));
        let long = " ".repeat(PATTERN_MAX_BYTES + 1);
        assert_eq!(parse(&long).err(), Some(PatternError::TooLong(long.len())));
    }
}
