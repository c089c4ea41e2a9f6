//! Every format that is opened: how a sample of it is made, what it is
//! recognised as, and the path its file is found under.

use cab::CompressionType;
use rars::ArchiveVersion;
use sevenz_rust2::EncoderMethod;
use zip::CompressionMethod;

use super::{archives, documents, locked};

/// Makes a sample that holds a file.
type Make = fn(&[u8]) -> Vec<u8>;
/// Makes one that a password opens.
type Lock = fn(&[u8], &str) -> Vec<u8>;

/// A format of containers.
pub(super) struct Format {
    /// The name of its samples.
    pub(super) file: &'static str,
    /// What they are recognised as.
    pub(super) file_type: &'static str,
    /// The path of the file in it, behind the sample's.
    pub(super) member: &'static str,
    /// Makes one that holds this file.
    pub(super) make: Make,
    /// Makes one that this password opens, if the format has such.
    pub(super) lock: Option<Lock>,
    /// Whether the file in it may be larger than 64 KiB.
    pub(super) is_roomy: bool,
    /// Whether one that is cut off is something else than a shorter one.
    pub(super) has_end: bool,
}

const fn format(
    file: &'static str,
    file_type: &'static str,
    member: &'static str,
    make: Make,
) -> Format {
    Format {
        file,
        file_type,
        member,
        make,
        lock: None,
        is_roomy: true,
        has_end: true,
    }
}

impl Format {
    const fn locked_by(mut self, lock: Lock) -> Self {
        self.lock = Some(lock);
        self
    }

    const fn without_end(mut self) -> Self {
        self.has_end = false;
        self
    }

    const fn narrow(mut self) -> Self {
        self.is_roomy = false;
        self
    }
}

const INNER: &str = archives::INNER;

/// All of them.
pub(super) const FORMATS: &[Format] = &[
    // Zip, by method and by what is built on it.
    format("a.zip", "ZIP", INNER, archives::zip).locked_by(archives::zip_aes),
    format("crypto.zip", "ZIP", INNER, archives::zip).locked_by(archives::zip_crypto),
    format("large.zip", "ZIP", INNER, archives::zip64),
    format("stored.zip", "ZIP", INNER, |content| {
        archives::zip_by(CompressionMethod::Stored, content)
    }),
    format("bzip2.zip", "ZIP", INNER, |content| {
        archives::zip_by(CompressionMethod::Bzip2, content)
    }),
    format("zstd.zip", "ZIP", INNER, |content| {
        archives::zip_by(CompressionMethod::Zstd, content)
    }),
    format("xz.zip", "ZIP", INNER, |content| {
        archives::zip_by(CompressionMethod::Xz, content)
    }),
    format("ppmd.zip", "ZIP", INNER, |content| {
        archives::zip_by(CompressionMethod::Ppmd, content)
    }),
    format("lzma.zip", "ZIP", INNER, |content| {
        archives::zip_around(14, &archives::lzma_in_zip(content), content)
    }),
    format("deflate64.zip", "ZIP", INNER, |content| {
        archives::zip_around(9, &archives::deflate64(content), content)
    }),
    format("a.jar", "JAR", INNER, |content| {
        archives::package(&["META-INF/MANIFEST.MF", "com/x/Main.class"], content)
    }),
    format("a.apk", "APK", INNER, |content| {
        archives::package(&["AndroidManifest.xml", "classes.dex"], content)
    }),
    format("a.docx", "DOCX", INNER, |content| {
        archives::package(&["[Content_Types].xml", "word/document.xml"], content)
    }),
    format("a.xlsx", "XLSX", INNER, |content| {
        archives::package(&["[Content_Types].xml", "xl/workbook.xml"], content)
    }),
    format("a.pptx", "PPTX", INNER, |content| {
        archives::package(&["[Content_Types].xml", "ppt/presentation.xml"], content)
    }),
    // Compressed streams.
    format("a.txt.gz", "GZIP", "a.txt", archives::gzip),
    format("a.txt.bz2", "BZIP2", "a.txt", archives::bzip2),
    format("a.txt.xz", "XZ", "a.txt", archives::xz),
    format("a.txt.lzma", "LZMA", "a.txt", archives::lzma),
    format("a.txt.lz", "LZIP", "a.txt", archives::lzip),
    format("a.txt.zst", "ZSTD", "a.txt", archives::zstd),
    format("a.txt.lz4", "LZ4", "a.txt", archives::lz4),
    format("a.txt.zz", "ZLIB", "a.txt", archives::zlib),
    format("a.tar.gz", "GZIP", "a.tar|in/evil.txt", |content| {
        archives::gzip(&archives::tar(content))
    }),
    format("skipped.txt.zst", "ZSTD", "skipped.txt", |content| {
        archives::skipped_first(&archives::zstd(content))
    }),
    format("skipped.txt.lz4", "LZ4", "skipped.txt", |content| {
        archives::skipped_first(&archives::lz4(content))
    }),
    // Other archives.
    format("old.tar", "TAR", INNER, archives::old_tar),
    format("a.tar", "TAR", INNER, archives::tar),
    format("a.a", "AR", "evil.txt", archives::ar),
    format(
        "a.deb",
        "DEB",
        "data.tar.xz|data.tar|in/evil.txt",
        archives::deb,
    ),
    format("a.cpio", "CPIO", INNER, archives::cpio),
    format("a.rpm", "RPM", INNER, archives::rpm),
    format("a.iso", "ISO", "EVIL.TXT", archives::iso),
    format("a.7z", "7ZIP", INNER, |content| {
        archives::seven_zip(content, EncoderMethod::LZMA2, None, false)
    })
    .locked_by(|content, password| {
        archives::seven_zip(content, EncoderMethod::LZMA2, Some(password), false)
    }),
    format("hidden.7z", "7ZIP", INNER, |content| {
        archives::seven_zip(content, EncoderMethod::PPMD, None, false)
    })
    .locked_by(|content, password| {
        archives::seven_zip(content, EncoderMethod::LZMA, Some(password), true)
    }),
    format("stored.cab", "CAB", INNER, |content| {
        archives::cab(CompressionType::None, content)
    }),
    format("a.cab", "CAB", INNER, |content| {
        archives::cab(CompressionType::MsZip, content)
    }),
    format("old.rar", "RAR", INNER, |content| {
        archives::rar(ArchiveVersion::Rar29, content, None)
    })
    .locked_by(|content, password| archives::rar(ArchiveVersion::Rar29, content, Some(password))),
    format("a.rar", "RAR", INNER, |content| {
        archives::rar(ArchiveVersion::Rar50, content, None)
    })
    .locked_by(|content, password| archives::rar(ArchiveVersion::Rar50, content, Some(password))),
    format("setup.exe", "EXE", INNER, archives::self_extracting),
    format(
        "setup.run",
        "SHELL",
        "content|in/evil.txt",
        documents::script_with_archive,
    ),
    format("run.bat", "BATCH", INNER, documents::batch_with_archive),
    format("hidden.jar", "UNKNOWN", INNER, |content| {
        archives::zip_behind(b"", content)
    })
    .without_end(),
    format("signed.ole", "OLE", INNER, |content| {
        archives::zip_behind(&documents::compound(&[("x", b"y")]), content)
    })
    .without_end(),
    // Mails and documents.
    format("binary.eml", "EMAIL", "evil.txt", documents::binary_mail),
    format("a.mht", "MHTML", "evil.txt", documents::saved_page),
    format("a.eml", "EMAIL", "evil.txt", documents::mail),
    format(
        "a.mbox",
        "MBOX",
        "message-2.eml|evil.txt",
        documents::mailbox,
    ),
    format("a.msg", "MSG", "evil.txt", documents::outlook),
    format("winmail.dat", "TNEF", "evil.txt", documents::tnef),
    format(
        "locked.docx",
        "ENCRYPTED OFFICE",
        "decrypted|in/evil.txt",
        // The password that Office tries without asking.
        |content| locked::office(content, "VelvetSweatshop"),
    )
    .locked_by(locked::office),
    format("macro.doc", "DOC", "VBA/M.bas", documents::macros),
    format(
        "a.doc",
        "DOC",
        "ObjectPool/_1/evil.txt",
        documents::embedded,
    ),
    format(
        "macro.xls",
        "XLS",
        "VBA/M.bas",
        documents::macros_of_workbook,
    ),
    format(
        "macro.ppt",
        "PPT",
        "PowerPoint Document/object-1|VBA/M.bas",
        documents::macros_of_presentation,
    ),
    format(
        "a.ppt",
        "PPT",
        "PowerPoint Document/object-1|evil.txt",
        documents::embedded_in_presentation,
    ),
    format(
        "a.msi",
        "MSI",
        "disk1.cab|in/evil.txt",
        documents::installer,
    ),
    format("a.rtf", "RTF", "evil.txt", documents::rtf),
    format("a.pdf", "PDF", "evil.txt", documents::pdf).locked_by(locked::pdf),
    format("stream.pdf", "PDF", "obj-7", documents::pdf_stream),
    format("a.lnk", "LNK", "shortcut.txt", documents::shortcut).narrow(),
    format("b.lnk", "LNK", "overlay", documents::shortcut_with_overlay).without_end(),
    format("a.one", "ONENOTE", "file-1", documents::onenote),
    // Texts with programs in them.
    format("base64.txt", "TEXT", "base64-6", documents::base64_script).without_end(),
    format("hex.txt", "TEXT", "hex-6", documents::hex_script).without_end(),
];
