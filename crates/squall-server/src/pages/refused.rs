//! The page for who could not log in: without a script, since it has nothing
//! to do.

use std::fmt::Write as _;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::{HTML, PAGE_POLICY};
use crate::access::NotLoggedIn;
use crate::failure::whole_seconds;

/// Returns the page.
pub(crate) fn refused(why: &NotLoggedIn) -> Response {
    let reason = escaped(&why.reason);
    let page = format!(
        r#"<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Not logged in – Squall</title>
  <link rel="icon" href="/static/icon.svg" type="image/svg+xml">
  <script src="/static/theme.js"></script>
  <link rel="stylesheet" href="/static/console.css">
</head>
<body>
  <main id="main" class="login">
    <h1>Not logged in</h1>
    <div class="card">
      <p role="alert">{reason}</p>
      <p><a class="button" href="/">Back to the log-in</a></p>
    </div>
  </main>
</body>
</html>
"#
    );
    let mut response = (why.status, page).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(HTML));
    let policy = HeaderValue::from_static(PAGE_POLICY);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    if let Some(retry_after) = why.retry_after {
        let seconds = HeaderValue::from(whole_seconds(retry_after));
        headers.insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// Writes a text so that it is one in HTML, whatever a provider calls people:
/// what would change the direction of what is behind it, or is not seen, is
/// written as an escape.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => {
                // Writing to a string never fails.
                let _ = write!(html, "{}", c.escape_unicode());
            }
            c if c.is_control() => html.push(' '),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_text_and_nothing_else() {
        let text = "<b title=\"a\" id='b'>&\u{202e}\n\u{e4}";
        let html = "&lt;b title=&quot;a&quot; id=&#39;b&#39;&gt;&amp;\\u{202e} \u{e4}";
        assert_eq!(escaped(text), html);
    }
}
