//! The import hash: equal for programs that call the same functions of the
//! same libraries in the same order.

use md5::{Digest, Md5};
use yara_x::mods::PE;

/// Returns the import hash as `pefile` and YARA's `pe.imphash()` compute it, or
/// `None` if the file imports nothing.
///
/// The engine computes it only within a scan; what is hashed are its names of
/// libraries and functions: `kernel32.exitprocess,user32.messageboxa`, lower
/// case, libraries without `.dll`, `.sys` or `.ocx`, functions imported by
/// number as `ord7` unless their name is known.
pub(super) fn imphash(pe: &PE) -> Option<[u8; 16]> {
    let mut names = pe
        .import_details
        .iter()
        .flat_map(|import| {
            let library = import.library_name.as_deref().unwrap_or_default();
            let library = without_extension(library).to_lowercase();
            import.functions.iter().map(move |function| {
                let name = function.name.as_deref().unwrap_or_default();
                format!("{library}.{}", name.to_lowercase())
            })
        })
        .peekable();
    names.peek()?;
    let mut md5 = Md5::new();
    for (index, name) in names.enumerate() {
        if index > 0 {
            md5.update(b",");
        }
        md5.update(name.as_bytes());
    }
    Some(md5.finalize().into())
}

fn without_extension(library: &str) -> &str {
    let split = library.len().checked_sub(4);
    match split.and_then(|at| library.split_at_checked(at)) {
        Some((stem, extension))
            if [".dll", ".sys", ".ocx"]
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known)) =>
        {
            stem
        }
        _ => library,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_three_extensions_are_left_out() {
        for (library, expected) in [
            ("KERNEL32.dll", "KERNEL32"),
            ("x.SYS", "x"),
            ("a.b.ocx", "a.b"),
            ("winspool.drv", "winspool.drv"),
            (".dll", ""),
            ("dll", "dll"),
            ("", ""),
            ("ü.dl", "ü.dl"),
            ("€€", "€€"),
        ] {
            assert_eq!(without_extension(library), expected, "{library}");
        }
    }
}
