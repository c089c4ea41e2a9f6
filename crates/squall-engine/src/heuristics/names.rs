//! Names made to be misread.

use super::extensions::{Promise, Runs, is_runnable};
use super::kinds;
use super::view::{Place, View, is_blank, split_extension};

/// Blanks in a row from which on a list of files no longer shows what follows.
const BLANKS_MIN: usize = 5;

/// `invoice.pdf.exe`, also with blanks between.
pub(super) fn double_extension(view: &View<'_>) -> Option<Vec<Place>> {
    let runs = Runs::of(&view.extension)?;
    let (stem, _) = split_extension(view.trimmed);
    let shown = stem.trim_end_matches(is_blank);
    let (rest, middle) = split_extension(shown);
    if middle.is_empty() || rest.trim_matches(is_blank).is_empty() {
        return None;
    }
    let lower = middle.to_ascii_lowercase();
    let is_page = matches!(lower.as_str(), "html" | "htm");
    let is_feigned = match Promise::of(&lower)? {
        Promise::Document | Promise::Picture | Promise::Media => true,
        // Build tools make `page.html.bat`, and namespaces `Acme.Csv.exe`.
        Promise::Text => runs == Runs::Program && !is_title_case(middle),
        Promise::Markup => is_page && runs == Runs::Program && !is_title_case(middle),
        // `Git-2.50.7z.exe` unpacks itself.
        Promise::Archive | Promise::Font => false,
    };
    (is_feigned && is_run(view, runs)).then(|| vec![Place::Name(rest.len()..view.trimmed.len())])
}

/// Tells whether the last extension means a program here.
fn is_run(view: &View<'_>, runs: Runs) -> bool {
    let subject = view.subject;
    match runs {
        Runs::Program | Runs::Script => true,
        // A copy of `www.example.com` is no program.
        Runs::Com => kinds::is_program(subject.file_type),
        // Windows keeps one of each recently opened document.
        Runs::Shortcut => !subject.unpack_source.is_empty(),
        // Bundlers make `logo.png.js`, and plug-ins are called `help.doc.jar`.
        Runs::Elsewhere => view.is_alone() || came_by_mail(view),
    }
}

/// A run of blanks before the extension that hides it from view.
pub(super) fn padded_extension(view: &View<'_>) -> Option<Vec<Place>> {
    Runs::of(&view.extension)?;
    let (stem, _) = split_extension(view.trimmed);
    let shown = stem.trim_end_matches(is_blank);
    let blanks = stem[shown.len()..].chars().count();
    (blanks >= BLANKS_MIN).then(|| vec![Place::Name(shown.len()..view.trimmed.len())])
}

/// Characters that turn the direction of reading: `annual<RLO>fdp.exe` shows as
/// `annualexe.pdf`.
pub(super) fn direction_control(view: &View<'_>) -> Option<Vec<Place>> {
    // Names of most files are ASCII, where there is none.
    if view.base.is_ascii() {
        return None;
    }
    let is_turned = |c: char| matches!(c, '\u{202d}' | '\u{202e}');
    let is_embedded = |c: char| matches!(c, '\u{202a}' | '\u{202b}' | '\u{2066}'..='\u{2068}');
    // Embeddings are ordinary in Arabic and Hebrew names of documents.
    let is_program = kinds::is_program(view.subject.file_type) || is_runnable(&view.extension);
    let (at, found) = view
        .base
        .char_indices()
        .find(|&(_, c)| is_turned(c) || (is_program && is_embedded(c)))?;
    Some(vec![Place::Name(at..at + found.len_utf8())])
}

/// Blanks or dots at the end, which Windows drops and checks of the extension
/// do not.
pub(super) fn trailing_blank(view: &View<'_>) -> Option<Vec<Place>> {
    let (start, end) = (view.trimmed.len(), view.base.len());
    let file_type = view.subject.file_type;
    // Of other files it is an oversight: `Example Inc.`, `report.pdf `.
    let can_run = is_runnable(&view.extension)
        || kinds::is_program(file_type)
        || kinds::is_launcher(file_type)
        || (kinds::is_server_page(file_type) && !view.extension.is_empty());
    (start > 0 && start < end && can_run).then(|| vec![Place::Name(start..end)])
}

/// Tells whether the file came out of a mail.
pub(super) fn came_by_mail(view: &View<'_>) -> bool {
    let sources = view.subject.unpack_source;
    sources.iter().any(|source| kinds::is_mail(source))
}

fn is_title_case(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase())
        && word[1..].bytes().all(|byte| byte.is_ascii_lowercase())
}
