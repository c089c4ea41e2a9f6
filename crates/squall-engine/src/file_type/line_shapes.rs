//! The narrow shapes the lines of scripts are tested for.

use super::bytes;

pub(super) fn is_name(word: &[u8]) -> bool {
    !word.is_empty()
        && word.iter().all(|byte| bytes::is_word_byte(*byte))
        && !word[0].is_ascii_digit()
}

/// `a.b.c`, with `*` for the last part, as Java writes it.
pub(super) fn is_dotted(name: &[u8]) -> bool {
    let name = name.strip_prefix(b"static ").unwrap_or(name);
    name.split(|byte| *byte == b'.')
        .all(|part| is_name(part) || part == b"*")
}

/// Names and commas to the end of the line, or to a comment or a semicolon.
pub(super) fn is_python_import(rest: &[u8]) -> bool {
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'#' | b';'))
        .unwrap_or(rest.len());
    rest[..end].split(|byte| *byte == b',').all(|module| {
        let module = module.trim_ascii();
        let mut words = module
            .split(|byte| *byte == b' ')
            .filter(|word| !word.is_empty());
        let name = words.next().unwrap_or_default();
        match words.next() {
            None => is_dotted(name),
            Some(word) => {
                word == b"as" && words.next().is_some_and(is_name) && words.next().is_none()
            }
        }
    })
}

pub(super) fn is_python_from(rest: &[u8]) -> bool {
    let Some(space) = rest.iter().position(|byte| *byte == b' ') else {
        return false;
    };
    let module = &rest[..space];
    let is_module = module
        .iter()
        .all(|byte| bytes::is_word_byte(*byte) || *byte == b'.');
    rest[space..]
        .trim_ascii_start()
        .strip_prefix(b"import ")
        .is_some_and(|names| {
            let names = names.trim_ascii();
            is_module && (names == b"*" || names.starts_with(b"(") || is_python_import(names))
        })
}

pub(super) fn is_perl_use(rest: &[u8]) -> bool {
    let Some(statement) = rest.trim_ascii_end().strip_suffix(b";") else {
        return false;
    };
    let end = statement
        .iter()
        .position(|byte| *byte == b' ')
        .unwrap_or(statement.len());
    let module = &statement[..end];
    module == b"strict"
        || module == b"warnings"
        || module == b"utf8"
        || module == b"vars"
        || (module.first().is_some_and(u8::is_ascii_uppercase)
            && module
                .iter()
                .all(|byte| bytes::is_word_byte(*byte) || *byte == b':'))
}

/// `Name` or `Name(parameters)` to the end of the line.
pub(super) fn is_signature(rest: &[u8]) -> bool {
    let (name, after) = bytes::take_word(rest);
    let after = after.trim_ascii();
    is_name(name) && (after.is_empty() || (after.starts_with(b"(") && after.ends_with(b")")))
}

pub(super) fn is_basic_set(rest: &[u8]) -> bool {
    let (name, after) = bytes::take_word(rest);
    let Some(value) = after.trim_ascii_start().strip_prefix(b"=") else {
        return false;
    };
    let value = value.trim_ascii_start();
    is_name(name)
        && (bytes::contains_ignore_case(value, b"createobject(")
            || bytes::contains_ignore_case(value, b"getobject(")
            || (after.starts_with(b" = ") && (value.contains(&b'(') || is_dotted(value))))
}

pub(super) fn is_name_list(names: &[u8]) -> bool {
    !names.is_empty()
        && names.split(|byte| *byte == b',').all(|name| {
            let name = name.trim_ascii();
            let name = name.split(|byte| *byte == b'(').next().unwrap_or_default();
            is_name(name)
        })
}

pub(super) fn is_label(word: &[u8]) -> bool {
    let word = word.strip_prefix(b":").unwrap_or(word);
    !word.is_empty()
        && word
            .iter()
            .all(|byte| bytes::is_word_byte(*byte) || *byte == b'-')
}

/// `name=value` without a space in the name, or one of the two flags.
pub(super) fn is_batch_set(rest: &[u8]) -> bool {
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    if bytes::starts_with_ignore_case(rest, b"/a ") || bytes::starts_with_ignore_case(rest, b"/p ")
    {
        return true;
    }
    is_shell_assignment(rest)
}

pub(super) fn is_shell_assignment(text: &[u8]) -> bool {
    let (name, after) = bytes::take_word(text);
    is_name(name)
        && after.starts_with(b"=")
        && !after.starts_with(b"==")
        && !after.starts_with(b"= ")
}

pub(super) fn is_power_shell_call(rest: &[u8]) -> bool {
    let rest = bytes::strip_ignore_case(rest, b".exe")
        .unwrap_or(rest)
        .trim_ascii_start();
    rest.starts_with(b"-")
        || rest.starts_with(b"/")
        || rest.starts_with(b"\"")
        || rest.starts_with(b"iex")
}

pub(super) fn is_java_member(rest: &[u8]) -> bool {
    [
        &b"class "[..],
        b"static ",
        b"final ",
        b"void ",
        b"interface ",
        b"abstract ",
        b"String ",
    ]
    .iter()
    .any(|word| rest.starts_with(word))
}

/// `if …:` and so on: the colon ends the line, and the line is code enough to
/// have an operator, a call or a member access.
pub(super) fn is_python_block(line: &[u8]) -> bool {
    let Some(head) = line.strip_suffix(b":") else {
        return false;
    };
    let is_loop = head.starts_with(b"for ") && bytes::contains(head, b" in ");
    let has_operator = head
        .iter()
        .any(|byte| matches!(byte, b'(' | b'=' | b'<' | b'>' | b'[' | b'.' | b'_'));
    is_loop && head.split(|byte| *byte == b' ').count() <= 5 || has_operator
}

pub(super) fn ends_with_ignore_case(text: &[u8], suffix: &[u8]) -> bool {
    text.len()
        .checked_sub(suffix.len())
        .is_some_and(|start| text[start..].eq_ignore_ascii_case(suffix))
}
