//! HTML and XML, told apart by their first or root element.

use super::text_view::TextView;
use super::{FileType, bytes, catalogue as types, server_page};

const CODE_MAX_BYTES: usize = 4096;

/// Elements an HTML document or fragment starts with.
static HTML_ELEMENTS: &[&[u8]] = &[
    b"html",
    b"head",
    b"body",
    b"script",
    b"title",
    b"table",
    b"div",
    b"p",
    b"a",
    b"iframe",
    b"meta",
    b"form",
    b"style",
    b"h1",
    b"h2",
    b"h3",
    b"center",
    b"font",
    b"img",
    b"br",
    b"span",
    b"link",
    b"ul",
    b"ol",
    b"frameset",
    b"b",
    b"input",
    b"button",
    b"nav",
    b"main",
    b"section",
    b"article",
    b"header",
    b"footer",
    b"object",
    b"embed",
    b"base",
    b"hr",
    b"pre",
    b"textarea",
    b"video",
    b"marquee",
];

/// XML documents told apart by their root element.
static XML_ROOTS: &[(&[u8], FileType)] = &[
    (b"svg", types::SVG),
    (b"rss", types::RSS),
    (b"feed", types::RSS),
    (b"rdf:rdf", types::RSS),
    (b"plist", types::PLIST),
    (b"task", types::SCHEDULED_TASK),
    (b"project", types::MSBUILD),
    (b"xsl:stylesheet", types::XSL),
    (b"xsl:transform", types::XSL),
    (b"stylesheet", types::XSL),
    (b"scriptlet", types::SCRIPTLET),
    (b"component", types::SCRIPTLET),
    (b"job", types::WSF),
    (b"package", types::WSF),
    (b"soap:envelope", types::SOAP),
    (b"s:envelope", types::SOAP),
    (b"soap-env:envelope", types::SOAP),
    (b"soapenv:envelope", types::SOAP),
    (b"w:worddocument", types::OFFICE_XML),
    (b"pkg:package", types::OFFICE_XML),
    (b"workbook", types::OFFICE_XML),
    (b"jsp:root", types::JSP),
    (b"html", types::HTML),
];

/// Recognises pages, HTML and XML.
pub(super) fn detect(view: &TextView<'_>) -> Option<FileType> {
    let text = view.trimmed();
    let is_markup = text.starts_with(b"<");
    let page = if is_markup {
        server_page::anywhere(text)
    } else {
        server_page::at_line_start(text)
    };
    if page.is_some() {
        return page;
    }
    is_markup
        .then(|| document(text, view.is_complete()))
        .flatten()
}

/// A document in angle brackets: HTML by its first element, XML by its root.
fn document(text: &[u8], is_complete: bool) -> Option<FileType> {
    let prologue = Prologue::skip(text);
    let has_prolog = bytes::starts_with_ignore_case(text, b"<?xml") || prologue.has_doctype;
    if bytes::contains_ignore_case(bytes::head(text, CODE_MAX_BYTES), b"<hta:application") {
        return Some(types::HTA);
    }
    if prologue.is_html {
        return Some(types::HTML);
    }
    if prologue.is_office {
        return Some(types::OFFICE_XML);
    }
    let Some(name) = element_name(prologue.rest) else {
        return has_prolog.then_some(types::XML);
    };
    if let Some((_, found)) = XML_ROOTS
        .iter()
        .find(|(root, _)| root.eq_ignore_ascii_case(name))
    {
        return xml_root(*found, text, has_prolog);
    }
    if HTML_ELEMENTS
        .iter()
        .any(|element| element.eq_ignore_ascii_case(name))
        && !has_prolog
    {
        return Some(types::HTML);
    }
    let is_xml = has_prolog || is_closed(prologue.rest, name, is_complete);
    is_xml.then_some(types::XML)
}

/// Roots that are also ordinary words need a second trait.
fn xml_root(found: FileType, text: &[u8], has_prolog: bool) -> Option<FileType> {
    let head = bytes::head(text, CODE_MAX_BYTES);
    let has = |needle: &[u8]| bytes::contains_ignore_case(head, needle);
    let is_proven = if found == types::WSF || found == types::SCRIPTLET {
        has(b"<script") || has(b"<registration")
    } else if found == types::MSBUILD {
        has(b"/msbuild/") || has(b" sdk=") || has(b"<propertygroup")
    } else if found == types::SCHEDULED_TASK {
        has(b"/windows/2004/02/mit/task")
    } else if found == types::OFFICE_XML {
        has(b"schemas-microsoft-com:office") || has(b"schemas.microsoft.com/office")
    } else {
        true
    };
    if is_proven {
        Some(found)
    } else {
        (has_prolog || text.trim_ascii_end().ends_with(b">")).then_some(types::XML)
    }
}

/// What stands before the root element.
struct Prologue<'a> {
    rest: &'a [u8],
    is_html: bool,
    is_office: bool,
    has_doctype: bool,
}

impl<'a> Prologue<'a> {
    fn skip(text: &'a [u8]) -> Self {
        const PARTS_MAX: usize = 32;
        let mut prologue = Self {
            rest: text,
            is_html: false,
            is_office: false,
            has_doctype: false,
        };
        for _ in 0..PARTS_MAX {
            let rest = prologue.rest;
            let end: &[u8] = if rest.starts_with(b"<!--") {
                b"-->"
            } else if rest.starts_with(b"<?") {
                prologue.is_office |= rest.starts_with(b"<?mso-application");
                b"?>"
            } else if rest.starts_with(b"<!") {
                prologue.is_html |= bytes::starts_with_ignore_case(rest, b"<!doctype html");
                prologue.has_doctype |= bytes::starts_with_ignore_case(rest, b"<!doctype ");
                // Entities may be declared in brackets, with tags inside.
                let end = rest.iter().position(|byte| matches!(byte, b'[' | b'>'));
                if end.is_some_and(|end| rest[end] == b'[') {
                    b"]>"
                } else {
                    b">"
                }
            } else {
                break;
            };
            let Some(at) = bytes::find(rest, end) else {
                break;
            };
            prologue.rest = rest[at + end.len()..].trim_ascii_start();
        }
        prologue
    }
}

fn element_name(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"<")?;
    let end = rest.iter().position(|byte| {
        !(byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.'))
    })?;
    let is_end = matches!(rest[end], b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n');
    let starts_well = rest.first().is_some_and(u8::is_ascii_alphabetic);
    (is_end && starts_well).then_some(&rest[..end])
}

/// Whether a root element without an XML declaration is closed in the end, so
/// that `<name> said hello` is not taken for XML.
fn is_closed(text: &[u8], name: &[u8], is_complete: bool) -> bool {
    let text = text.trim_ascii_end();
    if !is_complete {
        // Far from its end, a second element has to do.
        return bytes::head(text, CODE_MAX_BYTES)
            .windows(2)
            .filter(|pair| pair == b"</")
            .count()
            >= 2;
    }
    let Some(without_bracket) = text.strip_suffix(b">") else {
        return false;
    };
    let is_single = without_bracket.ends_with(b"/") && !without_bracket.contains(&b'>');
    without_bracket.trim_ascii_end().ends_with(name) || is_single
}

/// HTML behind leading text: it has to open and close.
pub(super) fn embedded_html(text: &[u8]) -> Option<FileType> {
    let opens = text
        .split(|byte| *byte == b'\n')
        .take(64)
        .map(<[u8]>::trim_ascii_start)
        .any(|line| {
            bytes::starts_with_ignore_case(line, b"<html")
                || bytes::starts_with_ignore_case(line, b"<!doctype html")
        });
    (opens && bytes::contains_ignore_case(text, b"</html>")).then_some(types::HTML)
}
