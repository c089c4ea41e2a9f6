//! How much a rendering shows. Every count and length that a hostile sample or
//! an eager rule can drive up is cut to one of these; where a form has a place
//! to say so, it says what was cut.

/// Matches shown of one finding, in every form; the count of all is shown too.
pub const REASONS_MAX: usize = 100;

/// Matched strings shown of one match in the v0 form and in a text line.
pub const STRINGS_MAX: usize = 30;

/// Matched strings shown of one match in the v3 form.
pub const V3_STRINGS_MAX: usize = 100;

/// Characters shown of one matched string in the v0 form and in a text line.
pub const STRING_CHARS_MAX: usize = 256;

/// Bytes shown of one matched string in the v3 form, and of its context.
pub const V3_DATA_BYTES_MAX: usize = 4096;

/// Extracts of the content shown in a v3 finding, before they are merged.
pub const EXTRACTS_MAX: usize = 256;

/// Bytes of all extracts in a v3 finding together, before they are merged.
pub const EXTRACT_BYTES_MAX: usize = 64 * 1024;

/// Files shown that could not be scanned completely; the rest of them is shown
/// as one more element, on the sample, that says how many they are.
pub const INCOMPLETE_FILES_MAX: usize = 100;

/// Characters shown of one value in a text line, before escaping.
pub const VALUE_CHARS_MAX: usize = 16 * 1024;
