//! Pages a server executes: PHP, JSP and ASP, by their tags and the code inside.

use super::{FileType, bytes, catalogue as types};

const CODE_MAX_BYTES: usize = 4096;

/// What stands in a page of classic ASP or ASP.NET, lower case.
static ASP_WORDS: &[&[u8]] = &[
    b"server.createobject",
    b"response.write",
    b"createobject(",
    b"server.mappath",
    b"request.form",
    b"request.querystring",
    b"request.servervariables",
    b"request.binaryread",
    b"on error resume next",
    b"runat=\"server\"",
    b"runat=server",
    b"executeglobal",
    b"<%execute",
    b"<% execute",
    b"end if",
    b"end sub",
    b"response.end",
    b"request.item[",
    b"system.diagnostics",
    b"dim ",
    b"session.codepage",
];

/// What stands in a Java server page, lower case.
static JSP_WORDS: &[&[u8]] = &[
    b"request.getparameter",
    b"getruntime()",
    b"out.print",
    b"java.",
    b"javax.",
    b"class.forname",
    b"new string(",
    b"processbuilder",
    b"session.getattribute",
    b"response.getwriter",
    b"request.getinputstream",
    b"<jsp:",
    b"<%!",
    b"public class",
    b"application.getrealpath",
];

/// What the first directive of a page says about its language, lower case.
static ASP_DIRECTIVES: &[&[u8]] = &[
    b"vbscript",
    b"jscript",
    b"language=\"javascript\"",
    b"language=javascript",
    b"c#",
    b"language=\"vb\"",
    b"webhandler",
    b"webservice",
    b"control ",
    b"master ",
    b"application ",
    b"namespace=",
    b"assembly",
    b"inherits=",
    b"codebehind",
    b"codefile",
    b"autoeventwireup",
    b"validaterequest",
    b"aspcompat",
    b"codepage",
    b"enablesessionstate",
    b"language=\"cs\"",
    b"language=vb",
];

/// The language of the server tags anywhere in `text`. A tag in the midst of
/// HTML counts only with code to go with it: templates use the same brackets.
pub(super) fn anywhere(text: &[u8]) -> Option<FileType> {
    let mut at = 0;
    while let Some(step) = text.get(at..)?.iter().position(|byte| *byte == b'<') {
        at += step;
        let tag = &text[at..];
        if is_php_tag(tag) {
            return Some(types::PHP);
        }
        if bytes::starts_with_ignore_case(tag, b"<jsp:") {
            return Some(types::JSP);
        }
        if tag.starts_with(b"<%")
            && let Some(found) = percent_page(tag, at == 0)
        {
            return Some(found);
        }
        if bytes::starts_with_ignore_case(tag, b"<script") && is_server_script(tag) {
            return Some(types::ASP);
        }
        at += 1;
    }
    None
}

/// The language of a server tag in a text that does not start as markup. Only
/// a tag that starts a line counts, and none behind a code fence: prose about
/// web shells quotes them in the middle of a sentence or fenced.
pub(super) fn at_line_start(text: &[u8]) -> Option<FileType> {
    const LINES_MAX: usize = 400;
    text.split(|byte| *byte == b'\n')
        .take(LINES_MAX)
        .map(<[u8]>::trim_ascii_start)
        .take_while(|line| !line.starts_with(b"```") && !line.starts_with(b"~~~"))
        .find(|line| line.starts_with(b"<?") || line.starts_with(b"<%"))
        .and_then(anywhere)
}

fn is_php_tag(tag: &[u8]) -> bool {
    let Some(rest) = tag.strip_prefix(b"<?") else {
        return false;
    };
    if let Some(after) = bytes::strip_ignore_case(rest, b"php") {
        return after.first().is_none_or(u8::is_ascii_whitespace);
    }
    if rest.starts_with(b"=") {
        return true;
    }
    // The short tag: a space, then code.
    let code = rest.trim_ascii_start();
    code.len() < rest.len()
        && code
            .first()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'$')
}

fn is_server_script(tag: &[u8]) -> bool {
    let end = bytes::head(tag, 256)
        .iter()
        .position(|byte| *byte == b'>')
        .unwrap_or(0);
    bytes::contains_ignore_case(&tag[..end], b"runat=\"server\"")
        || bytes::contains_ignore_case(&tag[..end], b"runat=server")
}

/// `<% … %>` is classic ASP, ASP.NET or JSP. The directive decides, then the
/// words inside. Left undecided it is JSP: that is what the original service
/// answers for `<%eval request(…`.
fn percent_page(tag: &[u8], is_opening: bool) -> Option<FileType> {
    let code = bytes::head(tag, CODE_MAX_BYTES).to_ascii_lowercase();
    let count = |words: &[&[u8]]| {
        words
            .iter()
            .filter(|word| bytes::contains(&code, word))
            .count()
    };
    if code.starts_with(b"<%@") {
        let end = bytes::find(&code, b"%>").unwrap_or(code.len());
        let directive = &code[..end];
        if ASP_DIRECTIVES
            .iter()
            .any(|word| bytes::contains(directive, word))
        {
            return Some(types::ASP);
        }
    }
    if code.starts_with(b"<%!") || code.starts_with(b"<%--") && is_opening && count(ASP_WORDS) == 0
    {
        return Some(types::JSP);
    }
    let (asp, jsp) = (count(ASP_WORDS), count(JSP_WORDS));
    if asp > jsp {
        Some(types::ASP)
    } else if jsp > 0 || is_opening || code.starts_with(b"<%@") || bytes::contains(&code, b"eval") {
        Some(types::JSP)
    } else {
        None
    }
}
