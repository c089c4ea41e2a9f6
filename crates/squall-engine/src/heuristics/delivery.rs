//! Programs on the way they are sent to people.

use super::extensions::{Promise, is_runnable};
use super::kinds;
use super::names::came_by_mail;
use super::view::{Place, View, is_blank, split_extension};

/// A program, shortcut or script for Windows attached to a mail, also in an
/// archive.
pub(super) fn in_mail(view: &View<'_>) -> Option<Vec<Place>> {
    (came_by_mail(view) && is_started_by_click(view)).then(|| whole_name(view))
}

/// The only file of an archive is a program with a document's name.
pub(super) fn alone_in_archive(view: &View<'_>) -> Option<Vec<Place>> {
    let is_alone = view.is_alone() && view.parent_type().is_some_and(kinds::is_archive);
    (is_alone && is_started_by_click(view) && is_document_name(view)).then(|| whole_name(view))
}

fn is_started_by_click(view: &View<'_>) -> bool {
    let file_type = view.subject.file_type;
    kinds::is_program(file_type)
        || kinds::is_launcher(file_type)
        // The text of a message may look like a script; an attachment that is
        // one is called so.
        || (kinds::is_windows_script(file_type) && is_runnable(&view.extension))
}

/// Words that people name documents by, in the languages of the campaigns seen
/// most. Whole words, so that `Reporter.exe` is not meant.
const DOCUMENT_WORDS: &[&str] = &[
    "angebot",
    "attachment",
    "bestellung",
    "bewerbung",
    "bill",
    "catalogue",
    "certificate",
    "commande",
    "contract",
    "contrato",
    "curriculum",
    "cv",
    "delivery",
    "dhl",
    "document",
    "documento",
    "documents",
    "dokument",
    "dokumente",
    "factura",
    "facture",
    "fattura",
    "faktura",
    "fax",
    "fedex",
    "fotos",
    "invoice",
    "invoices",
    "lebenslauf",
    "letter",
    "lieferschein",
    "mahnung",
    "memo",
    "offer",
    "ordine",
    "orden",
    "order",
    "payment",
    "payslip",
    "photos",
    "pictures",
    "po",
    "presupuesto",
    "proforma",
    "purchase",
    "quotation",
    "quote",
    "rechnung",
    "receipt",
    "remittance",
    "resume",
    "rfq",
    "salary",
    "scan",
    "scanned",
    "shipment",
    "shipping",
    "specification",
    "statement",
    "swift",
    "tender",
    "ups",
    "vertrag",
    "voicemail",
    "zahlung",
];

/// Tells whether the name without its last extension is one for a document.
fn is_document_name(view: &View<'_>) -> bool {
    if matches!(view.promise(), Some(Promise::Document | Promise::Picture)) {
        return true;
    }
    let (stem, _) = split_extension(view.trimmed);
    let (_, middle) = split_extension(stem.trim_end_matches(is_blank));
    let promised = Promise::of(&middle.to_ascii_lowercase());
    if matches!(promised, Some(Promise::Document | Promise::Picture)) {
        return true;
    }
    stem.split(|c: char| !c.is_alphabetic()).any(|word| {
        let is_word = |known: &&str| known.eq_ignore_ascii_case(word);
        DOCUMENT_WORDS.iter().any(is_word)
    })
}

fn whole_name(view: &View<'_>) -> Vec<Place> {
    vec![Place::Name(0..view.base.len()), view.magic_place()]
}
