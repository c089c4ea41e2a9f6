//! Unix `ar` archives, among them Debian packages.
//!
//! The format is that of `ar(5)`: a magic line, then for each member a header
//! of 60 characters and the content, padded to an even length. Long names are
//! GNU's (`/123` into the member `//`) or BSD's (`#1/LEN`, the name before the
//! content).

use super::{Members, Trouble};

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER_LEN: usize = 60;

/// Passes on every member but the tables of symbols and names.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let mut rest = content
        .strip_prefix(MAGIC)
        .ok_or_else(|| Trouble::corrupt("an ar archive without its first line"))?;
    let mut long_names: &[u8] = &[];
    while !rest.is_empty() {
        members.check_time()?;
        let (header, behind) = rest
            .split_at_checked(HEADER_LEN)
            .ok_or_else(|| Trouble::corrupt("a cut off header in an ar archive"))?;
        if !header.ends_with(b"`\n") {
            return Err(Trouble::corrupt("a damaged header in an ar archive"));
        }
        let len = number(&header[48..58])
            .ok_or_else(|| Trouble::corrupt("a damaged length in an ar archive"))?;
        let whole = behind.get(..len);
        let body = whole.unwrap_or(behind);
        let field = header[..16].trim_ascii_end();
        match field {
            b"/" | b"/SYM64/" | b"__.SYMDEF" => {}
            b"//" => long_names = body,
            _ => {
                let (name, body) = named(field, body, long_names);
                members.take(&name, body)?;
            }
        }
        if whole.is_none() {
            return Err(Trouble::corrupt(
                "the last member of an ar archive is cut off",
            ));
        }
        rest = behind.get(len + len % 2..).unwrap_or_default();
    }
    Ok(())
}

/// Returns a member's name and content.
fn named<'a>(field: &[u8], body: &'a [u8], long_names: &[u8]) -> (String, &'a [u8]) {
    if let Some(len) = field.strip_prefix(b"#1/").and_then(number)
        && let Some((name, body)) = body.split_at_checked(len)
    {
        let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
        return (text(name), body);
    }
    if let Some(at) = field.strip_prefix(b"/").and_then(number)
        && let Some(name) = long_names.get(at..)
    {
        let name = name.split(|&byte| byte == b'\n').next().unwrap_or_default();
        return (text(name.strip_suffix(b"/").unwrap_or(name)), body);
    }
    (text(field.strip_suffix(b"/").unwrap_or(field)), body)
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

fn number(field: &[u8]) -> Option<usize> {
    std::str::from_utf8(field.trim_ascii()).ok()?.parse().ok()
}
