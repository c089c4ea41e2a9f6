//! Content that is not what the extension promises.

use super::extensions::Promise;
use super::kinds;
use super::view::{Place, View};

/// Bytes a program has at least; less is a stub or a test.
const PROGRAM_MIN_BYTES: usize = 64;

/// Machine code called a document, a picture, a text.
pub(super) fn program(view: &View<'_>) -> Option<Vec<Place>> {
    let subject = view.subject;
    let is_program = kinds::is_program(subject.file_type)
        && subject.content.len() >= PROGRAM_MIN_BYTES
        && view.promise().is_some();
    is_program.then(|| places(view))
}

/// A shortcut, a script or a server page called a document or a picture.
pub(super) fn script(view: &View<'_>) -> Option<Vec<Place>> {
    let file_type = view.subject.file_type;
    if is_usual(view) {
        return None;
    }
    let is_disguised = match view.promise()? {
        Promise::Picture | Promise::Media => {
            kinds::is_script(file_type) || kinds::is_launcher(file_type)
        }
        // Manuals of old are plain text called `.doc`, with examples in them.
        Promise::Document => {
            is_shortcut_or_encoded(view)
                || (view.extension != "doc" && view.extension != "eml" && is_started(view))
        }
        Promise::Text | Promise::Archive => is_shortcut_or_encoded(view),
        Promise::Markup | Promise::Font => false,
    };
    is_disguised.then(|| places(view))
}

fn is_shortcut_or_encoded(view: &View<'_>) -> bool {
    matches!(view.subject.file_type.name(), "LNK" | "ENCODED SCRIPT")
}

fn is_started(view: &View<'_>) -> bool {
    let file_type = view.subject.file_type;
    kinds::is_launcher(file_type)
        || kinds::is_windows_script(file_type)
        || kinds::is_server_page(file_type)
}

/// Any other content that is unmistakable under an extension that is, too.
///
/// Left out are mixes that are everyday: one picture format called another,
/// office formats among each other, compressed streams (a web server's `.html`,
/// a rotated log), markup (a failed download is an HTML page).
pub(super) fn mismatch(view: &View<'_>) -> Option<Vec<Place>> {
    let file_type = view.subject.file_type;
    if is_usual(view) {
        return None;
    }
    let is_archive = kinds::is_archive(file_type.name());
    let is_document = kinds::is_active_document(file_type);
    let is_secret = kinds::is_secret_store(file_type);
    let is_mismatch = match view.promise()? {
        Promise::Picture | Promise::Media | Promise::Font => is_archive || is_document || is_secret,
        Promise::Document => is_secret || is_foreign_to_document(view),
        // Registry hives have logs called `.log`, databases as well.
        Promise::Text => is_archive || (is_secret && view.extension != "log"),
        Promise::Archive => is_secret,
        Promise::Markup => false,
    };
    is_mismatch.then(|| places(view))
}

/// Archives called PDF or RTF, and the way exploits in RTF travel: as the
/// newer formats, which are said to be safe from them.
fn is_foreign_to_document(view: &View<'_>) -> bool {
    let file_type = view.subject.file_type;
    match view.extension.as_str() {
        "pdf" | "rtf" => kinds::is_archive(file_type.name()),
        "docx" | "xls" | "xlsx" | "ppt" | "pptx" => file_type.name() == "RTF",
        _ => false,
    }
}

/// Tells whether the extension is one the type usually has.
fn is_usual(view: &View<'_>) -> bool {
    let usual = view.subject.file_type.extensions();
    usual.contains(&view.extension.as_str())
}

fn places(view: &View<'_>) -> Vec<Place> {
    vec![view.extension_place(), view.magic_place()]
}
