//! Messages for syslog receivers: a head as RFC 5424 or RFC 3164 has it, and
//! behind it the text line, Common Event Format, JSON, or keys with values.
//!
//! ```text
//! <129>1 2026-07-10T09:08:47.123456Z web-01 THOR - Filescan [origin software="Squall" swVersion="0.1.0"] Alert: MODULE: …
//! <129>Jul 10 09:08:47 web-01 THOR: Alert: MODULE: …
//! ```
//!
//! A receiver that writes the second to a file in the usual way writes the text
//! line of [`crate::text`]. The host name is the source, reduced to what every
//! receiver takes for a name; the fields `SOURCE` and `IP` say it exactly.
//!
//! A message is one line whatever the names in it are, and has at most
//! [`Options::bytes_max`] bytes: a longer one is cut where its form stays
//! valid, lists and long values first, and says that it was (`TRUNCATED`, an
//! issue in JSON).

mod cef;
mod head;

use jiff::tz::TimeZone;
use squall_types::Report;

use crate::event::{self, Event};
use crate::text::field::Field;
use crate::text::{Layout, line};
use crate::{forms, limits};

/// The shortest a message can be cut to, whatever is in it; what RFC 5424 wants
/// every receiver to take.
pub const BYTES_MIN: usize = 2048;

/// How the part behind the head is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The text line.
    Text,
    /// Common Event Format.
    Cef,
    /// The v3 log form, without a syslog head.
    Json,
    /// The v3 log form behind the head.
    SyslogJson,
    /// `KEY="value"` for everything.
    KeyValue,
}

/// Which head a message has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Head {
    /// That of RFC 5424.
    #[default]
    Rfc5424,
    /// That of RFC 3164, for receivers that know no other.
    Rfc3164,
}

/// How messages are written.
#[derive(Clone, Debug)]
pub struct Options {
    /// How the part behind the head is written.
    pub form: Form,
    /// The head.
    pub head: Head,
    /// Whether times are in UTC instead of the local time zone.
    pub utc: bool,
    /// The most bytes of a message, [`BYTES_MIN`] or more.
    pub bytes_max: usize,
    /// The version of this program.
    pub version: String,
}

/// Returns a message for each finding of a scan and for each other file that
/// could not be scanned completely, none of them with an end of line. A clean
/// scan gives none.
#[must_use]
pub fn messages(report: &Report, options: &Options) -> Vec<Vec<u8>> {
    let zone = if options.utc {
        TimeZone::UTC
    } else {
        TimeZone::system()
    };
    let one = |(index, event): (usize, &Event<'_>)| match options.form {
        Form::Json => forms::v3(report, index, event, options.bytes_max),
        form => {
            let mut message = head::head(report, event, options, &zone);
            let left = options.bytes_max.saturating_sub(message.len());
            match form {
                Form::SyslogJson | Form::Json => {
                    let mut message = message.into_bytes();
                    message.extend(forms::v3(report, index, event, left));
                    return message;
                }
                Form::Cef => message.push_str(&cef::cef(report, index, event, options, left)),
                Form::Text => message.push_str(&fields(report, index, event, Layout::Plain, left)),
                Form::KeyValue => {
                    message.push_str(&fields(report, index, event, Layout::KeyValue, left));
                }
            }
            message.into_bytes()
        }
    };
    event::events(report).iter().enumerate().map(one).collect()
}

/// How many characters of a value are left at each step of cutting.
const VALUE_STEPS: [usize; 5] = [limits::VALUE_CHARS_MAX, 4096, 1024, 256, 64];

/// Returns the level and the fields of a text line, cut to `bytes_max` bytes.
fn fields(
    report: &Report,
    index: usize,
    event: &Event<'_>,
    layout: Layout,
    bytes_max: usize,
) -> String {
    let mut fields = Vec::new();
    if layout == Layout::KeyValue {
        fields.push(Field::new("LEVEL", event.level.name()));
    }
    fields.extend(line::fields(report, event, index));
    // The id of the event is the last field of every line.
    let id = fields.pop();
    let origin = &report.submission.origin;
    let mut closing = vec![
        Field::new("SOURCE", origin.source.as_str()),
        Field::new("IP", origin.remote_addr.as_str()),
    ];
    closing.extend(id);
    closing.retain(Field::has_value);
    let lead = format!("{}:", event.level.name());
    let mut line = lead.clone();
    for (step, chars_max) in VALUE_STEPS.into_iter().enumerate() {
        let end = written(&closing, step > 0, layout, chars_max);
        line.truncate(lead.len());
        let room = bytes_max.saturating_sub(end.len());
        // At the last step the fields that find no room are left out.
        let all = push_fields(&mut line, &fields, layout, chars_max, room);
        if all || step + 1 == VALUE_STEPS.len() {
            line.push_str(&end);
            break;
        }
    }
    line
}

/// Appends fields as long as the line stays within `bytes_max`; returns whether
/// all of them did.
fn push_fields(
    line: &mut String,
    fields: &[Field],
    layout: Layout,
    chars_max: usize,
    bytes_max: usize,
) -> bool {
    for field in fields {
        let begun = line.len();
        line.push(' ');
        field.write_cut(layout, chars_max, line);
        if line.len() > bytes_max {
            line.truncate(begun);
            return false;
        }
    }
    true
}

/// Returns the fields that every line ends with.
fn written(closing: &[Field], cut: bool, layout: Layout, chars_max: usize) -> String {
    let mut end = String::new();
    let cut = cut.then(|| Field::new("TRUNCATED", "yes"));
    for field in cut.iter().chain(closing) {
        end.push(' ');
        field.write_cut(layout, chars_max, &mut end);
    }
    end
}
