//! What a line of a script looks like.
//!
//! Each shape is narrow enough that a sentence beginning with the same word
//! does not fit: `import` has to be followed by a module name and the end of
//! the line, `Dim` by names and commas.

use super::script::Language::{
    AutoIt, Batch, C, CSharp, Go, Java, JavaScript, Lua, Perl, PowerShell, Python, Ruby, Rust,
    Shell, Sql, Vba, Vbs,
};
use super::script::Scores;
use super::{bytes, line_marks, line_shapes as shapes};

/// Notes what the shape of one line, without white space around it, says.
pub(super) fn note(line: &[u8], scores: &mut Scores) {
    const WORD_MAX_BYTES: usize = 16;
    match line[0] {
        b'#' => line_marks::directive(line, scores),
        b'$' => line_marks::sigil(line, scores),
        b'@' | b':' | b'%' => line_marks::batch_mark(line, scores),
        b'\'' | b'"' => line_marks::quoted(line, scores),
        _ => {}
    }
    let (word, rest) = bytes::take_word(line);
    let mut lower = [0; WORD_MAX_BYTES];
    if let Some(lower) = lower.get_mut(..word.len()) {
        lower.copy_from_slice(word);
        lower.make_ascii_lowercase();
        let line = Line { line, rest };
        line.note_import(lower, scores);
        line.note_definition(lower, scores);
        line.note_visual_basic(lower, scores);
        line.note_batch(lower, scores);
        line.note_shell(lower, scores);
        line.note_declaration(lower, scores);
        line.note_sql(lower, scores);
    }
    line_marks::operators(line, scores);
}

/// A line that starts with a word, and what follows the word.
struct Line<'a> {
    line: &'a [u8],
    rest: &'a [u8],
}

impl Line<'_> {
    /// Lines that pull in other code.
    fn note_import(&self, word: &[u8], scores: &mut Scores) {
        let rest = self.rest.trim_ascii_start();
        let statement = rest.strip_suffix(b";");
        match word {
            b"import" if statement.is_some_and(shapes::is_dotted) => scores.add(Java, 3),
            b"import" if rest.starts_with(b"(") || rest.starts_with(b"\"") => scores.add(Go, 2),
            b"import"
                if bytes::contains(rest, b" from '") || bytes::contains(rest, b" from \"") =>
            {
                scores.add(JavaScript, 4);
            }
            b"import" if shapes::is_python_import(rest) => scores.add(Python, 4),
            b"from" if shapes::is_python_from(rest) => scores.add(Python, 5),
            b"using" if statement.is_some_and(shapes::is_dotted) => scores.add(CSharp, 4),
            b"use"
                if statement.is_some_and(|name| {
                    name.starts_with(b"std::") || name.starts_with(b"crate::")
                }) =>
            {
                scores.add(Rust, 4);
            }
            b"use" if shapes::is_perl_use(rest) => scores.add(Perl, 4),
            b"package" if statement.is_some_and(|name| name.contains(&b'.')) => scores.add(Java, 3),
            b"package" if statement.is_some() => scores.add(Perl, 3),
            b"package" if shapes::is_dotted(rest) => scores.add(Go, 4),
            b"require" if rest.starts_with(b"'") || rest.starts_with(b"\"") => scores.add(Ruby, 3),
            _ => {}
        }
    }

    /// Lines that define something.
    fn note_definition(&self, word: &[u8], scores: &mut Scores) {
        let rest = self.rest.trim_ascii_start();
        let (name, after) = bytes::take_word(rest);
        let after = after.trim_ascii_start();
        let is_named = !name.is_empty();
        let opens = self.line.ends_with(b"{");
        let has_colon = self.line.ends_with(b":");
        match word {
            b"def" if is_named && has_colon && after.starts_with(b"(") => scores.add(Python, 5),
            b"def" if is_named && (after.is_empty() || after.starts_with(b"(")) => {
                scores.add(Ruby, 3)
            }
            b"class" if is_named && (after == b":" || (after.starts_with(b"(") && has_colon)) => {
                scores.add(Python, 4)
            }
            b"class" if is_named && after.starts_with(b"< ") => scores.add(Ruby, 4),
            b"async" if rest.starts_with(b"def ") && has_colon => scores.add(Python, 5),
            b"async" if rest.starts_with(b"function") => scores.add(JavaScript, 4),
            b"function" if after.starts_with(b"-") => scores.add(PowerShell, 4),
            b"function" if after.starts_with(b"(") => self.note_function(after, scores),
            b"function" if is_named && opens => {
                scores.add(PowerShell, 2);
                scores.add(Shell, 1);
            }
            b"sub" if is_named && opens => scores.add(Perl, 4),
            b"fn" if is_named && after.starts_with(b"(") && opens => scores.add(Rust, 4),
            b"pub"
                if rest.starts_with(b"fn ")
                    || rest.starts_with(b"struct ")
                    || rest.starts_with(b"enum ") =>
            {
                scores.add(Rust, 4);
            }
            b"func" if is_named && after.starts_with(b"(") && opens => scores.add(Go, 4),
            b"func" if is_named && after.starts_with(b"(") => scores.add(AutoIt, 3),
            b"param" if rest.starts_with(b"(") => scores.add(PowerShell, 3),
            b"namespace" if is_named && (after.is_empty() || opens || after.starts_with(b".")) => {
                scores.add(CSharp, 2)
            }
            b"int" | b"void" if name == b"main" && after.starts_with(b"(") => scores.add(C, 4),
            _ => {}
        }
    }

    /// `function name(…)`: the brace or its absence tells the language.
    fn note_function(&self, parameters: &[u8], scores: &mut Scores) {
        let Some(close) = parameters.iter().position(|byte| *byte == b')') else {
            return;
        };
        let tail = parameters[close + 1..].trim_ascii();
        if tail.starts_with(b"{") {
            let is_power_shell = parameters[..close].contains(&b'$');
            scores.add(
                if is_power_shell {
                    PowerShell
                } else {
                    JavaScript
                },
                4,
            );
        } else if tail.is_empty() {
            scores.add(Vbs, 2);
            scores.add(Lua, 2);
        } else if self.line.ends_with(b"end") {
            scores.add(Lua, 4);
        }
    }

    /// Lines of Visual Basic, whichever the dialect.
    fn note_visual_basic(&self, word: &[u8], scores: &mut Scores) {
        let rest = self.rest.trim_ascii();
        let is_rest = |expected: &[u8]| rest.eq_ignore_ascii_case(expected);
        match word {
            b"dim" => self.note_dim(rest, scores),
            b"on" if is_rest(b"error resume next") || is_rest(b"error goto 0") => {
                scores.add(Vbs, 4)
            }
            b"option" if is_rest(b"explicit") => scores.add(Vbs, 4),
            b"end"
                if is_rest(b"sub")
                    || is_rest(b"function")
                    || is_rest(b"if")
                    || is_rest(b"with") =>
            {
                scores.add(Vbs, 3);
            }
            b"sub" if shapes::is_signature(rest) => scores.add(Vbs, 3),
            b"private" | b"public"
                if bytes::starts_with_ignore_case(rest, b"sub ") && rest.ends_with(b")") =>
            {
                scores.add(Vba, 4);
            }
            b"private" | b"public" if bytes::starts_with_ignore_case(rest, b"declare ") => {
                scores.add(Vba, 4)
            }
            b"set" if shapes::is_basic_set(rest) => scores.add(Vbs, 3),
            b"if" if shapes::ends_with_ignore_case(rest, b" then") => scores.add(Vbs, 2),
            b"wend" | b"loop" | b"next" if rest.is_empty() => scores.add(Vbs, 1),
            b"attribute" if bytes::starts_with_ignore_case(rest, b"vb_") => scores.add(Vba, 6),
            _ => {}
        }
    }

    fn note_dim(&self, rest: &[u8], scores: &mut Scores) {
        let names = rest.split(|byte| *byte == b':').next().unwrap_or_default();
        if bytes::contains_ignore_case(names, b" as ")
            && names.split(|byte| *byte == b' ').count() % 2 == 1
        {
            scores.add(Vba, 4);
        } else if shapes::is_name_list(names) {
            scores.add(Vbs, 3);
        }
    }

    /// Lines of a command file.
    fn note_batch(&self, word: &[u8], scores: &mut Scores) {
        let rest = self.rest.trim_ascii();
        let starts = |prefix: &[u8]| bytes::starts_with_ignore_case(rest, prefix);
        match word {
            b"rem" if self.rest.starts_with(b" ") => scores.add(Batch, 1),
            b"setlocal" if rest.is_empty() || starts(b"enable") => scores.add(Batch, 4),
            b"goto" if shapes::is_label(rest) => scores.add(Batch, 3),
            b"if"
                if starts(b"exist ")
                    || starts(b"not exist ")
                    || starts(b"errorlevel ")
                    || starts(b"\"%") =>
            {
                scores.add(Batch, 3);
            }
            b"if" if starts(b"defined ") || starts(b"/i ") || starts(b"%") => scores.add(Batch, 3),
            b"for"
                if starts(b"%")
                    || starts(b"/f ")
                    || starts(b"/r ")
                    || starts(b"/l ")
                    || starts(b"/d ") =>
            {
                scores.add(Batch, 4);
            }
            b"set" if shapes::is_batch_set(rest) => scores.add(Batch, 3),
            b"call"
                if rest.starts_with(b":") || rest.starts_with(b"%") || rest.starts_with(b"\"%") =>
            {
                scores.add(Batch, 4);
            }
            b"echo" if rest == b"off" || self.rest.starts_with(b".") => scores.add(Batch, 3),
            b"echo" if rest.contains(&b'%') || starts(b"off ") => scores.add(Batch, 2),
            b"pause" | b"cls" if rest.is_empty() => scores.add(Batch, 2),
            b"exit" if starts(b"/b") => scores.add(Batch, 4),
            b"reg"
                if starts(b"add hk")
                    || starts(b"add \"hk")
                    || starts(b"delete hk")
                    || starts(b"delete \"hk") =>
            {
                scores.add(Batch, 4);
            }
            b"schtasks" | b"taskkill" | b"attrib" | b"netsh" | b"wmic" | b"bcdedit"
            | b"vssadmin" | b"net" | b"sc"
                if starts(b"/")
                    || starts(b"+")
                    || starts(b"-")
                    || starts(b"delete ")
                    || starts(b"stop ") =>
            {
                scores.add(Batch, 2);
            }
            b"powershell" if shapes::is_power_shell_call(self.rest) => scores.add(PowerShell, 4),
            _ => {}
        }
    }

    /// Lines of a Unix shell script.
    fn note_shell(&self, word: &[u8], scores: &mut Scores) {
        let rest = self.rest.trim_ascii();
        let is_alone = rest.is_empty();
        match word {
            b"if" | b"while" | b"elif"
                if rest.starts_with(b"[ ")
                    || rest.starts_with(b"[[ ")
                    || rest.starts_with(b"! [") =>
            {
                scores.add(Shell, 4);
            }
            b"fi" | b"done" if is_alone || rest.starts_with(b";") || rest.starts_with(b"|") => {
                scores.add(Shell, 2)
            }
            b"esac" if is_alone => scores.add(Shell, 3),
            b"then" | b"do" if is_alone => scores.add(Shell, 1),
            b"case" if rest.ends_with(b" in") => scores.add(Shell, 3),
            b"for" if bytes::contains(rest, b"; do") => scores.add(Shell, 4),
            b"export" if shapes::is_shell_assignment(rest) => scores.add(Shell, 4),
            b"set"
                if rest.starts_with(b"-e")
                    || rest.starts_with(b"-u")
                    || rest.starts_with(b"-x") =>
            {
                scores.add(Shell, 3)
            }
            b"echo" if rest.starts_with(b"\"$") || rest.starts_with(b"$") => scores.add(Shell, 2),
            b"chmod" if rest.starts_with(b"+") || rest.first().is_some_and(u8::is_ascii_digit) => {
                scores.add(Shell, 2)
            }
            b"wget" | b"curl" if rest.starts_with(b"-") || rest.starts_with(b"http") => {
                scores.add(Shell, 2)
            }
            b"unset" | b"ulimit" | b"trap" if !is_alone && !rest.contains(&b'.') => {
                scores.add(Shell, 1)
            }
            _ if shapes::is_shell_assignment(self.line) && !self.line.ends_with(b";") => {
                let is_expanding =
                    bytes::contains(self.line, b"$(") || bytes::contains(self.line, b"=`");
                scores.add(Shell, if is_expanding { 3 } else { 1 });
            }
            _ => {}
        }
    }

    /// Lines that declare a variable or a type.
    fn note_declaration(&self, word: &[u8], scores: &mut Scores) {
        let rest = self.rest.trim_ascii_start();
        let (name, after) = bytes::take_word(rest.strip_prefix(b"$").unwrap_or(rest));
        let after = after.trim_ascii_start();
        let is_assigned = after.starts_with(b"=") && !name.is_empty();
        match word {
            b"var" | b"let" | b"const" if is_assigned || (after == b";" && !name.is_empty()) => {
                scores.add(JavaScript, 4);
            }
            b"const" | b"var" if rest.starts_with(b"{") => scores.add(JavaScript, 2),
            b"local" if rest.starts_with(b"$") => scores.add(AutoIt, 4),
            b"local" if rest.starts_with(b"function ") => scores.add(Lua, 5),
            b"local" if is_assigned && after.starts_with(b"= ") => scores.add(Lua, 4),
            b"local" if is_assigned => scores.add(Shell, 2),
            b"my" | b"our" if matches!(rest.first(), Some(b'$' | b'@' | b'%' | b'(')) => {
                scores.add(Perl, 4)
            }
            b"public" | b"private" | b"protected" | b"static" if shapes::is_java_member(rest) => {
                scores.add(Java, 2);
                scores.add(CSharp, 1);
            }
            b"end" if self.rest.is_empty() => {
                scores.add(Ruby, 1);
                scores.add(Lua, 1);
            }
            b"try" | b"finally" | b"else" if self.rest == b":" => scores.add(Python, 2),
            b"if" | b"for" | b"while" | b"with" | b"except" | b"elif"
                if shapes::is_python_block(self.line) =>
            {
                scores.add(Python, 2);
            }
            _ => line_marks::css(self.line, scores),
        }
    }

    fn note_sql(&self, word: &[u8], scores: &mut Scores) {
        let starts =
            |prefix: &[u8]| bytes::starts_with_ignore_case(self.rest.trim_ascii_start(), prefix);
        match word {
            b"create" | b"drop" | b"alter"
                if starts(b"table ") || starts(b"database ") || starts(b"index ") =>
            {
                let is_statement = self.line.ends_with(b";")
                    || self.line.ends_with(b"(")
                    || self.line.contains(&b'`');
                scores.add(Sql, if is_statement { 4 } else { 1 });
            }
            b"insert" if starts(b"into ") && bytes::contains_ignore_case(self.line, b"values") => {
                scores.add(Sql, 4)
            }
            b"select"
                if bytes::contains_ignore_case(self.line, b" from ")
                    && self.line.ends_with(b";") =>
            {
                scores.add(Sql, 4);
            }
            _ => {}
        }
    }
}
