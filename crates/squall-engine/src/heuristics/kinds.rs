//! Groups of file types the heuristics speak of.

use crate::file_type::{FileType, Kind};

/// Machine code that an operating system loads.
pub(super) fn is_program(file_type: FileType) -> bool {
    matches!(file_type.name(), "EXE" | "ELF" | "MACH-O")
}

/// What a double click runs though it holds no machine code, and whose content
/// leaves no doubt about it.
pub(super) fn is_launcher(file_type: FileType) -> bool {
    matches!(
        file_type.name(),
        "LNK" | "HTA" | "ENCODED SCRIPT" | "WSF" | "SCT" | "MSI" | "JAR"
    )
}

/// Scripts that Windows runs on a double click. Mere text in other hands: the
/// name has to confirm it.
pub(super) fn is_windows_script(file_type: FileType) -> bool {
    matches!(file_type.name(), "VBS" | "JS" | "BATCH" | "PowerShell")
}

/// Pages that a web server runs.
pub(super) fn is_server_page(file_type: FileType) -> bool {
    matches!(file_type.name(), "PHP" | "JSP" | "ASP")
}

/// Source text of any interpreter, style sheets not counted.
pub(super) fn is_script(file_type: FileType) -> bool {
    file_type.kind() == Kind::Script && file_type.name() != "XSL"
}

/// Containers of files with names of their own, and images of disks.
pub(super) fn is_archive(name: &str) -> bool {
    matches!(
        name,
        "ZIP" | "7ZIP" | "RAR" | "CAB" | "ACE" | "ARJ" | "LHA" | "TAR" | "ISO" | "VHD" | "VHDX"
    )
}

/// Messages, mailboxes and what mail programs wrap attachments in.
pub(super) fn is_mail(name: &str) -> bool {
    matches!(
        name,
        "EMAIL" | "MHTML" | "MBOX" | "MSG" | "TNEF" | "PST" | "DBX"
    )
}

/// Office files that can carry macros or objects, and their containers.
pub(super) fn is_active_document(file_type: FileType) -> bool {
    matches!(
        file_type.name(),
        "OLE"
            | "DOC"
            | "XLS"
            | "PPT"
            | "DOCM"
            | "XLSM"
            | "XLSB"
            | "PPTM"
            | "RTF"
            | "PDF"
            | "ONENOTE"
            | "CHM"
            | "ENCRYPTED OFFICE"
    )
}

/// What intruders carry away and give a harmless name: memory of processes,
/// stores of passwords.
pub(super) fn is_secret_store(file_type: FileType) -> bool {
    matches!(
        file_type.name(),
        "MDMP" | "LSASS Dump File" | "REGISTRY HIVE" | "ESE DB" | "KEEPASS" | "PST"
    )
}
