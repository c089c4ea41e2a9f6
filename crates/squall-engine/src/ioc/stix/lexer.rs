//! Splits a STIX pattern into tokens.

use super::parser::PatternError;

/// A token of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// `[`
    BracketOpen,
    /// `]`
    BracketClose,
    /// `(`
    ParenOpen,
    /// `)`
    ParenClose,
    /// `,`
    Comma,
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`
    Compare(Comparison),
    /// `AND`, `LIKE`, …, in upper case; also `true` and `false`.
    Word(String),
    /// `file:hashes.'SHA-256'`: the object type and the path, without quotes.
    Path {
        /// Before the colon.
        object: String,
        /// Behind it.
        path: String,
    },
    /// A text, without quotes and escapes.
    Text(String),
    /// A number, as written.
    Number(String),
    /// A literal of another kind: `t'…'`, `h'…'`, `b'…'`.
    Other(char),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Splits a whole pattern.
///
/// # Errors
///
/// Fails at the first character that begins no token, and at an open quote.
pub(super) fn tokens(pattern: &str) -> Result<Vec<Token>, PatternError> {
    let mut lexer = Lexer { rest: pattern };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    rest: &'a str,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Result<Option<Token>, PatternError> {
        self.rest = self.rest.trim_start();
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        let token = match first {
            '[' => self.mark(1, Token::BracketOpen),
            ']' => self.mark(1, Token::BracketClose),
            '(' => self.mark(1, Token::ParenOpen),
            ')' => self.mark(1, Token::ParenClose),
            ',' => self.mark(1, Token::Comma),
            '=' | '!' | '<' | '>' => self.comparison(first)?,
            '\'' => Token::Text(self.quoted('\'')?),
            't' | 'h' | 'b' if self.rest[1..].starts_with('\'') => {
                self.advance(1);
                self.quoted('\'')?;
                Token::Other(first)
            }
            '-' | '+' | '0'..='9' => {
                let text = self.take(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'));
                Token::Number(text.to_owned())
            }
            c if is_word_char(c) => self.word_or_path()?,
            c => return Err(PatternError::Character(c)),
        };
        Ok(Some(token))
    }

    fn mark(&mut self, len: usize, token: Token) -> Token {
        self.advance(len);
        token
    }

    fn advance(&mut self, len: usize) {
        self.rest = &self.rest[len..];
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn comparison(&mut self, first: char) -> Result<Token, PatternError> {
        let (len, comparison) = match (first, self.rest[1..].chars().next()) {
            ('=', Some('=')) => (2, Comparison::Equal),
            ('=', _) => (1, Comparison::Equal),
            ('!', Some('=')) | ('<', Some('>')) => (2, Comparison::NotEqual),
            ('<', Some('=')) => (2, Comparison::LessOrEqual),
            ('<', _) => (1, Comparison::Less),
            ('>', Some('=')) => (2, Comparison::GreaterOrEqual),
            ('>', _) => (1, Comparison::Greater),
            _ => return Err(PatternError::Character(first)),
        };
        Ok(self.mark(len, Token::Compare(comparison)))
    }

    /// Reads a quoted text; a backslash makes the next character plain.
    fn quoted(&mut self, quote: char) -> Result<String, PatternError> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.advance(at + c.len_utf8());
                return Ok(text);
            }
            match c {
                '\\' => text.extend(chars.next().map(|(_, escaped)| escaped)),
                c => text.push(c),
            }
        }
        Err(PatternError::OpenQuote)
    }

    fn word_or_path(&mut self) -> Result<Token, PatternError> {
        let word = self.take(is_word_char);
        if !self.rest.starts_with(':') {
            return Ok(Token::Word(word.to_ascii_uppercase()));
        }
        self.advance(1);
        let mut path = String::new();
        loop {
            match self.rest.chars().next() {
                Some(quote @ ('\'' | '"')) => path.push_str(&self.quoted(quote)?),
                Some('.') => {
                    self.advance(1);
                    path.push('.');
                }
                Some('[') => {
                    // `sections[*]`: an index, which only paths have.
                    path.push_str(self.take(|c| c != ']'));
                    if self.rest.is_empty() {
                        return Err(PatternError::OpenQuote);
                    }
                    self.advance(1);
                    path.push(']');
                }
                Some(c) if is_word_char(c) => path.push_str(self.take(is_word_char)),
                _ => break,
            }
        }
        Ok(Token::Path {
            object: word.to_ascii_lowercase(),
            path,
        })
    }
}

fn is_word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &str) -> Token {
        Token::Path {
            object: "file".to_owned(),
            path: path.to_owned(),
        }
    }

    #[test]
    fn a_pattern_is_split() {
        let found = tokens(r"[file:hashes.'SHA-256'='ab' and (file:size<=-1)]").expect("tokens");
        assert_eq!(
            found,
            [
                Token::BracketOpen,
                path("hashes.SHA-256"),
                Token::Compare(Comparison::Equal),
                Token::Text("ab".to_owned()),
                Token::Word("AND".to_owned()),
                Token::ParenOpen,
                path("size"),
                Token::Compare(Comparison::LessOrEqual),
                Token::Number("-1".to_owned()),
                Token::ParenClose,
                Token::BracketClose,
            ]
        );
    }

    #[test]
    fn texts_lose_their_escapes() {
        for (pattern, expected) in [
            (r"'C:\\x'", r"C:\x"),
            (r"'it\'s'", "it's"),
            ("'ü'", "ü"),
            ("''", ""),
            (r"'\ü'", "ü"),
        ] {
            let expected = vec![Token::Text(expected.to_owned())];
            assert_eq!(tokens(pattern).expect("tokens"), expected, "{pattern}");
        }
        assert_eq!(tokens("t'2020'").expect("tokens"), [Token::Other('t')]);
        let section = r#"file:extensions.'pe'.sections[*].name"#;
        assert_eq!(
            tokens(section).expect("tokens"),
            [path("extensions.pe.sections[*].name")]
        );
        assert_eq!(tokens("").expect("tokens"), []);
    }

    #[test]
    fn broken_patterns_are_refused() {
        for pattern in ["'open", r"'open\", "a ! b", "[§]", "file:x[", "file:'", "ü"] {
            assert!(tokens(pattern).is_err(), "{pattern}");
        }
    }
}
