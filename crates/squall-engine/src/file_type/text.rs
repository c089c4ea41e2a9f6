//! Decides what sort of text a text is, the most certain detectors first.

use super::text_view::TextView;
use super::{FileType, HEAD_MAX_BYTES, bytes, catalogue as types};
use super::{magic, mail, markup, names, opening, script, server_page, structured};

/// The type of a text; `TEXT` when nothing more can be said.
pub(super) fn detect(view: &TextView<'_>) -> FileType {
    if view.trimmed().is_empty() {
        return types::TEXT;
    }
    detect_specific(view)
        .or_else(|| structured::detect(view))
        .or_else(|| names::detect_text(view.trimmed()))
        .unwrap_or(types::TEXT)
}

/// The type of a text that says clearly what it is. Also used for content that
/// is text but for a few bytes.
pub(super) fn detect_specific(view: &TextView<'_>) -> Option<FileType> {
    let text = view.trimmed();
    opening::detect(text)
        .or_else(|| magic::pdf_after_junk(text))
        .or_else(|| markup::detect(view))
        .or_else(|| mail::detect(text))
        .or_else(|| script::detect(text))
        .or_else(|| markup::embedded_html(text))
}

/// The type of content that is not text but begins like one: a script or a page
/// with a payload behind it, which an interpreter runs all the same.
pub(super) fn detect_beginning(content: &[u8]) -> Option<FileType> {
    let head = bytes::head(content, HEAD_MAX_BYTES).trim_ascii_start();
    let page = || {
        let is_page = head.starts_with(b"<%") || head.starts_with(b"<?");
        is_page.then(|| server_page::anywhere(head)).flatten()
    };
    opening::detect(head)
        .or_else(page)
        .or_else(|| magic::pdf_after_junk(head))
}
