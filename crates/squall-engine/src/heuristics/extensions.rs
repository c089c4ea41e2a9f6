//! What an extension promises.
//!
//! Only extensions that everyone reads the same way are listed. Those that
//! mean anything (`.dat`, `.bin`, `.tmp`, `.cfg`, `.db`, `.log1`, none at all)
//! promise nothing, so nothing can break the promise.

/// What a person expects of a file with a certain extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// Something to read in an office application or a viewer.
    Document,
    /// A picture.
    Picture,
    /// Sound or film.
    Media,
    /// Plain text.
    Text,
    /// A part of a web site, or data for a program, in text form.
    Markup,
    /// An archive.
    Archive,
    /// A font.
    Font,
}

impl Promise {
    /// What an extension promises; lower case, without the dot.
    pub(super) fn of(extension: &str) -> Option<Self> {
        Some(match extension {
            "pdf" | "rtf" | "doc" | "docx" | "docm" | "dot" | "dotx" | "dotm" | "xls" | "xlsx"
            | "xlsm" | "xlsb" | "ppt" | "pptx" | "pptm" | "pps" | "ppsx" | "odt" | "ods"
            | "odp" | "one" | "epub" | "eml" => Self::Document,
            "jpg" | "jpeg" | "jpe" | "jfif" | "png" | "gif" | "bmp" | "tif" | "tiff" | "webp"
            | "heic" | "ico" | "svg" => Self::Picture,
            "mp3" | "mp4" | "m4a" | "m4v" | "avi" | "mov" | "mkv" | "wav" | "wma" | "wmv"
            | "flac" | "ogg" | "webm" | "mpg" | "mpeg" => Self::Media,
            "txt" | "log" | "csv" | "md" => Self::Text,
            "html" | "htm" | "css" | "xml" | "json" | "js" | "php" | "ini" | "yml" | "yaml" => {
                Self::Markup
            }
            "zip" | "rar" | "7z" | "gz" | "tgz" | "bz2" | "xz" | "cab" => Self::Archive,
            "ttf" | "otf" | "woff" | "woff2" => Self::Font,
            _ => return None,
        })
    }
}

/// How a double click runs a file with a certain extension on Windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    /// As a program: the extension means nothing else.
    Program,
    /// As a DOS program; also the end of a host name.
    Com,
    /// As a script for Windows.
    Script,
    /// As a shortcut; Windows itself keeps some called `report.pdf.lnk`.
    Shortcut,
    /// Where an interpreter is installed; ordinary files on other systems.
    Elsewhere,
}

impl Runs {
    /// How a double click runs it; lower case, without the dot.
    pub(super) fn of(extension: &str) -> Option<Self> {
        Some(match extension {
            "exe" | "scr" | "pif" | "cpl" | "msi" | "hta" => Self::Program,
            "com" => Self::Com,
            "bat" | "cmd" | "vbs" | "vbe" | "jse" | "wsf" | "wsh" | "ps1" => Self::Script,
            "lnk" => Self::Shortcut,
            "js" | "jar" => Self::Elsewhere,
            _ => return None,
        })
    }
}

/// Tells whether Windows runs or loads a file with this extension; lower
/// case, without the dot.
pub(super) fn is_runnable(extension: &str) -> bool {
    Runs::of(extension).is_some() || matches!(extension, "dll" | "sys" | "ocx" | "xll" | "sct")
}
