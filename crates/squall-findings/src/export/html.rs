//! The page of an export: one table, no script, nothing from elsewhere.

use std::fmt::Write as _;

use squall_api::v1::FindingRow;

use super::{rules, visible};

pub(super) fn head(out: &mut Vec<u8>) {
    out.extend(include_bytes!("head.html"));
}

pub(super) fn tail(out: &mut Vec<u8>) {
    out.extend(b"</tbody>\n</table>\n</main>\n</body>\n</html>\n");
}

pub(super) fn row(row: &FindingRow, note: &str, out: &mut Vec<u8>) {
    let mut html = format!("<tr class=\"{}\">", escaped(&row.level.to_lowercase()));
    let review = match note {
        "" => row.review.name().to_owned(),
        note => format!("{}: {note}", row.review.name()),
    };
    let hash = row.sha256.as_deref().unwrap_or_default();
    for cell in [
        &row.time,
        &row.level,
        &row.score.to_string(),
        &row.source,
        &row.name,
        &row.file_type,
        &row.size.to_string(),
        &rules(row),
        &row.tags.join(", "),
        hash,
        &review,
    ] {
        // Writing to a string cannot fail.
        let _ = write!(html, "<td>{}</td>", escaped(&visible(cell)));
    }
    html.push_str("</tr>\n");
    out.extend(html.into_bytes());
}

/// Returns text that HTML shows as it is, between tags and in attributes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        assert_eq!(
            escaped("\"><img src=x onerror='a&b'>"),
            "&quot;&gt;&lt;img src=x onerror=&#39;a&amp;b&#39;&gt;"
        );
    }
}
