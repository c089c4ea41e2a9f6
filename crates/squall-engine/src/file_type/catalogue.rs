//! Every type of our own: name, family, media type and usual extensions.

use super::{FileType, Kind::*};

const OCTETS: &str = "application/octet-stream";
const PLAIN: &str = "text/plain";

macro_rules! catalogue {
    ($($constant:ident = $name:literal, $kind:ident, $media_type:expr, [$($extension:literal),*];)*) => {
        $(pub(super) const $constant: FileType =
            FileType::new($name, $kind, $media_type, &[$($extension),*]);)*

        /// All of them, for the tests.
        #[cfg(test)]
        pub(super) const ALL: &[FileType] = &[$($constant),*];
    };
}

catalogue! {
    EMPTY = "EMPTY", Unknown, "application/x-empty", [];
    UNKNOWN = "UNKNOWN", Unknown, OCTETS, [];

    // Executables.
    EXE = "EXE", Executable, "application/vnd.microsoft.portable-executable",
        ["exe", "dll", "sys", "scr", "ocx", "cpl", "com", "drv", "efi", "mui", "node", "pyd", "xll", "ax", "tlb"];
    ELF = "ELF", Executable, "application/x-elf", ["", "so", "o", "ko", "elf", "bin", "axf", "prx", "mod", "out"];
    MACH_O = "MACH-O", Executable, "application/x-mach-binary", ["", "dylib", "bundle", "o", "macho"];
    COFF = "COFF", Executable, "application/x-coff", ["obj", "o", "coff"];
    JAVA_CLASS = "JAVA CLASS", Executable, "application/java-vm", ["class"];
    DEX = "DEX", Executable, "application/vnd.android.dex", ["dex", "odex"];
    WASM = "WASM", Executable, "application/wasm", ["wasm"];
    PYC = "PYC", Executable, "application/x-python-bytecode", ["pyc", "pyo"];
    LUA_BYTECODE = "LUA BYTECODE", Executable, "application/x-lua-bytecode", ["luac", "lua"];
    LLVM_BITCODE = "LLVM BITCODE", Executable, "application/x-llvm", ["bc"];
    SWF = "SWF", Executable, "application/x-shockwave-flash", ["swf"];
    BOOT_SECTOR = "BOOT SECTOR", Executable, OCTETS, ["bin", "img", "mbr", "vbr"];
    ENCODED_SCRIPT = "ENCODED SCRIPT", Script, "text/x-encoded-script", ["vbe", "jse"];

    // Archives, packages and compressed streams.
    ZIP = "ZIP", Archive, "application/zip", ["zip"];
    JAR = "JAR", Archive, "application/java-archive", ["jar", "war", "ear"];
    APK = "APK", Archive, "application/vnd.android.package-archive", ["apk"];
    IPA = "IPA", Archive, "application/x-ios-app", ["ipa"];
    APPX = "APPX", Archive, "application/vnd.ms-appx", ["appx", "msix", "appxbundle", "msixbundle"];
    NUPKG = "NUPKG", Archive, "application/zip", ["nupkg"];
    VSIX = "VSIX", Archive, "application/vsix", ["vsix"];
    XPI = "XPI", Archive, "application/x-xpinstall", ["xpi"];
    WHEEL = "PYTHON WHEEL", Archive, "application/zip", ["whl"];
    CRX = "CRX", Archive, "application/x-chrome-extension", ["crx"];
    SEVEN_ZIP = "7ZIP", Archive, "application/x-7z-compressed", ["7z"];
    RAR = "RAR", Archive, "application/vnd.rar", ["rar", "r00", "cbr"];
    ACE = "ACE", Archive, "application/x-ace-compressed", ["ace"];
    ARJ = "ARJ", Archive, "application/x-arj", ["arj"];
    LHA = "LHA", Archive, "application/x-lzh-compressed", ["lha", "lzh"];
    ZOO = "ZOO", Archive, "application/x-zoo", ["zoo"];
    ALZ = "ALZ", Archive, "application/x-alz-compressed", ["alz"];
    EGG = "EGG", Archive, "application/x-egg", ["egg"];
    CAB = "CAB", Archive, "application/vnd.ms-cab-compressed", ["cab", "msu"];
    INSTALLSHIELD_CAB = "INSTALLSHIELD CAB", Archive, "application/x-installshield", ["cab", "hdr"];
    SZDD = "SZDD", Archive, "application/x-ms-compress", ["dl_", "ex_", "sy_"];
    GZIP = "GZIP", Archive, "application/gzip", ["gz", "tgz", "svgz", "emz"];
    BZIP2 = "BZIP2", Archive, "application/x-bzip2", ["bz2", "tbz", "tbz2"];
    XZ = "XZ", Archive, "application/x-xz", ["xz", "txz"];
    LZMA = "LZMA", Archive, "application/x-lzma", ["lzma"];
    ZSTD = "ZSTD", Archive, "application/zstd", ["zst", "tzst"];
    LZ4 = "LZ4", Archive, "application/x-lz4", ["lz4"];
    LZIP = "LZIP", Archive, "application/x-lzip", ["lz"];
    LZOP = "LZOP", Archive, "application/x-lzop", ["lzo"];
    COMPRESS = "COMPRESS", Archive, "application/x-compress", ["z"];
    ZLIB = "ZLIB", Archive, "application/zlib", ["zlib", "zz"];
    SNAPPY = "SNAPPY", Archive, "application/x-snappy-framed", ["sz"];
    TAR = "TAR", Archive, "application/x-tar", ["tar"];
    CPIO = "CPIO", Archive, "application/x-cpio", ["cpio"];
    AR = "AR", Archive, "application/x-archive", ["a", "ar", "lib"];
    DEB = "DEB", Archive, "application/vnd.debian.binary-package", ["deb", "udeb"];
    RPM = "RPM", Archive, "application/x-rpm", ["rpm"];
    XAR = "XAR", Archive, "application/x-xar", ["xar", "pkg"];
    PACK200 = "PACK200", Archive, "application/x-java-pack200", ["pack"];
    PAR2 = "PAR2", Archive, "application/x-par2", ["par2"];
    ASAR = "ASAR", Archive, "application/x-asar", ["asar"];
    UUENCODE = "UUENCODE", Archive, "text/x-uuencode", ["uu", "uue"];
    YENC = "YENC", Archive, "text/x-yenc", ["ync", "yenc"];

    // Disk images and file systems.
    ISO = "ISO", Archive, "application/x-iso9660-image", ["iso"];
    DMG = "DMG", Archive, "application/x-apple-diskimage", ["dmg"];
    VHD = "VHD", Archive, "application/x-vhd", ["vhd"];
    VHDX = "VHDX", Archive, "application/x-vhdx", ["vhdx", "avhdx"];
    VMDK = "VMDK", Archive, "application/x-vmdk", ["vmdk"];
    VDI = "VDI", Archive, "application/x-virtualbox-vdi", ["vdi"];
    QCOW = "QCOW", Archive, "application/x-qemu-disk", ["qcow", "qcow2", "img"];
    WIM = "WIM", Archive, "application/x-ms-wim", ["wim", "esd", "swm"];
    SQUASHFS = "SQUASHFS", Archive, "application/x-squashfs", ["sqsh", "squashfs", "snap", "sfs"];
    CRAMFS = "CRAMFS", Archive, "application/x-cramfs", ["cramfs", "img"];
    EXT_FS = "EXT FILESYSTEM", Archive, OCTETS, ["img", "ext2", "ext3", "ext4"];
    LUKS = "LUKS", Data, "application/x-luks", ["img", "luks"];
    EWF = "EWF", Archive, "application/x-ewf", ["e01", "ex01", "l01", "s01"];

    // Documents.
    PDF = "PDF", Document, "application/pdf", ["pdf", "ai"];
    RTF = "RTF", Document, "application/rtf", ["rtf", "doc"];
    OLE = "OLE", Document, "application/x-ole-storage", [];
    DOC = "DOC", Document, "application/msword", ["doc", "dot"];
    XLS = "XLS", Document, "application/vnd.ms-excel", ["xls", "xlt", "xla"];
    PPT = "PPT", Document, "application/vnd.ms-powerpoint", ["ppt", "pps", "pot", "ppa"];
    VSD = "VSD", Document, "application/vnd.visio", ["vsd", "vst"];
    PUB = "PUB", Document, "application/vnd.ms-publisher", ["pub"];
    MPP = "MPP", Document, "application/vnd.ms-project", ["mpp", "mpt"];
    HWP = "HWP", Document, "application/x-hwp", ["hwp"];
    ENCRYPTED_OFFICE = "ENCRYPTED OFFICE", Document, "application/x-ole-storage",
        ["docx", "xlsx", "pptx", "docm", "xlsm", "pptm"];
    MSI = "MSI", Archive, "application/x-msi", ["msi", "msp", "mst"];
    JUMPLIST = "JUMPLIST", Data, OCTETS, ["automaticdestinations-ms"];
    THUMBS_DB = "THUMBS DB", Data, OCTETS, ["db"];
    DOCX = "DOCX", Document, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ["docx", "dotx"];
    DOCM = "DOCM", Document, "application/vnd.ms-word.document.macroenabled.12", ["docm", "dotm"];
    XLSX = "XLSX", Document, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ["xlsx", "xltx"];
    XLSM = "XLSM", Document, "application/vnd.ms-excel.sheet.macroenabled.12", ["xlsm", "xltm", "xlam"];
    XLSB = "XLSB", Document, "application/vnd.ms-excel.sheet.binary.macroenabled.12", ["xlsb"];
    PPTX = "PPTX", Document, "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ["pptx", "ppsx", "potx"];
    PPTM = "PPTM", Document, "application/vnd.ms-powerpoint.presentation.macroenabled.12", ["pptm", "ppsm", "potm", "ppam"];
    VSDX = "VSDX", Document, "application/vnd.ms-visio.drawing", ["vsdx", "vsdm", "vstx"];
    XPS = "XPS", Document, "application/oxps", ["xps", "oxps"];
    ODT = "ODT", Document, "application/vnd.oasis.opendocument.text", ["odt", "ott", "odm"];
    ODS = "ODS", Document, "application/vnd.oasis.opendocument.spreadsheet", ["ods", "ots"];
    ODP = "ODP", Document, "application/vnd.oasis.opendocument.presentation", ["odp", "otp"];
    ODG = "ODG", Document, "application/vnd.oasis.opendocument.graphics", ["odg", "otg"];
    ODF = "ODF", Document, "application/vnd.oasis.opendocument.formula", ["odf", "odb", "odc"];
    EPUB = "EPUB", Document, "application/epub+zip", ["epub"];
    ONENOTE = "ONENOTE", Document, "application/onenote", ["one", "onetoc2"];
    CHM = "CHM", Document, "application/vnd.ms-htmlhelp", ["chm"];
    HLP = "HLP", Document, "application/winhlp", ["hlp"];
    DJVU = "DJVU", Document, "image/vnd.djvu", ["djvu", "djv"];
    POSTSCRIPT = "POSTSCRIPT", Document, "application/postscript", ["ps", "eps", "ai"];
    ACTIVEMIME = "ACTIVEMIME", Document, "application/x-mso", ["mso"];
    SYLK = "SYLK", Document, "application/x-sylk", ["slk", "sylk"];
    WEB_QUERY = "IQY", Document, "text/x-ms-iqy", ["iqy"];
    LATEX = "LATEX", Text, "text/x-tex", ["tex", "ltx"];

    // Mail and contacts.
    EMAIL = "EMAIL", Mail, "message/rfc822", ["eml", "msg", "mht"];
    MBOX = "MBOX", Mail, "application/mbox", ["mbox", "mbx"];
    MHTML = "MHTML", Mail, "multipart/related", ["mht", "mhtml", "doc"];
    MSG = "MSG", Mail, "application/vnd.ms-outlook", ["msg", "oft"];
    PST = "PST", Mail, "application/vnd.ms-outlook-pst", ["pst", "ost"];
    DBX = "DBX", Mail, "application/x-outlook-express", ["dbx"];
    TNEF = "TNEF", Mail, "application/vnd.ms-tnef", ["tnef", "dat"];
    VCARD = "VCARD", Text, "text/vcard", ["vcf"];
    ICALENDAR = "ICALENDAR", Text, "text/calendar", ["ics", "vcs"];

    // Scripts.
    PHP = "PHP", Script, "application/x-httpd-php", ["php", "phtml", "php3", "php4", "php5", "php7", "phar", "inc"];
    JSP = "JSP", Script, "application/x-jsp", ["jsp", "jspx", "jspf"];
    ASP = "ASP", Script, "application/x-asp", ["asp", "aspx", "ashx", "asmx", "ascx", "asa", "cer", "master"];
    VBS = "VBS", Script, "text/vbscript", ["vbs"];
    VBA = "VBA", Script, "text/x-vba", ["bas", "cls", "frm", "vba"];
    PYTHON = "Python", Script, "text/x-python", ["py", "pyw"];
    BATCH = "BATCH", Script, "application/x-bat", ["bat", "cmd"];
    POWERSHELL = "PowerShell", Script, "text/x-powershell", ["ps1", "psm1", "psd1"];
    JAVASCRIPT = "JS", Script, "text/javascript", ["js", "mjs", "cjs", "ts", "jsx"];
    SHELL = "SHELL", Script, "application/x-sh", ["sh", "bash", "zsh", "ksh", "csh", "command", ""];
    PERL = "PERL", Script, "text/x-perl", ["pl", "pm", "cgi", "t"];
    RUBY = "RUBY", Script, "text/x-ruby", ["rb", "gemspec", "rake"];
    LUA = "LUA", Script, "text/x-lua", ["lua", "nse"];
    TCL = "TCL", Script, "text/x-tcl", ["tcl", "exp", "tk"];
    AWK = "AWK", Script, "text/x-awk", ["awk"];
    APPLESCRIPT = "APPLESCRIPT", Script, "text/x-applescript", ["applescript", "scpt", "scptd"];
    GROOVY = "GROOVY", Script, "text/x-groovy", ["groovy", "gradle"];
    R_SCRIPT = "R", Script, "text/x-r", ["r"];
    AUTOIT = "AUTOIT", Script, "text/x-autoit", ["au3", "a3x"];
    OTHER_SCRIPT = "SCRIPT", Script, PLAIN, [];
    HTA = "HTA", Script, "application/hta", ["hta"];
    WSF = "WSF", Script, "text/x-wsf", ["wsf", "wsc"];
    SCRIPTLET = "SCT", Script, "text/scriptlet", ["sct", "wsc"];

    // Markup and structured text.
    HTML = "HTML", Text, "text/html", ["html", "htm", "shtml", "xhtml", "mht"];
    XML = "XML", Text, "application/xml", ["xml", "xsd", "config", "manifest", "rels", "wsdl", "resx", "xaml", "nuspec"];
    SVG = "SVG", Image, "image/svg+xml", ["svg"];
    XSL = "XSL", Script, "application/xslt+xml", ["xsl", "xslt"];
    RSS = "RSS", Text, "application/rss+xml", ["rss", "xml", "atom"];
    PLIST = "PLIST", Data, "application/x-plist", ["plist", "mobileconfig", "strings"];
    SCHEDULED_TASK = "SCHEDULED TASK", Data, "application/xml", ["xml", "job", ""];
    MSBUILD = "MSBUILD", Text, "application/xml",
        ["csproj", "vbproj", "vcxproj", "proj", "targets", "props", "xml", "fsproj"];
    OFFICE_XML = "OFFICE XML", Document, "application/xml", ["xml", "doc", "xls"];
    SOAP = "SOAP", Text, "application/soap+xml", ["xml", "soap"];
    JSON = "JSON", Text, "application/json", ["json", "jsonl", "ndjson", "map", "har", "ipynb", "geojson", "webmanifest"];
    YAML = "YAML", Text, "application/yaml", ["yaml", "yml"];
    INI = "INI", Text, "text/x-ini", ["ini", "cfg", "conf", "inf", "toml", "properties", "service"];
    INF = "INF", Text, "text/x-inf", ["inf"];
    REG = "REG", Text, "text/x-ms-regedit", ["reg"];
    URL_SHORTCUT = "URL", Text, "application/x-mswinurl", ["url", "website"];
    DESKTOP_ENTRY = "DESKTOP ENTRY", Text, "application/x-desktop", ["desktop"];
    SYSTEMD_UNIT = "SYSTEMD UNIT", Text, "text/x-systemd-unit", ["service", "timer", "socket", "mount", "target", "path"];
    CSV = "CSV", Text, "text/csv", ["csv", "tsv", "txt"];
    CSS = "CSS", Text, "text/css", ["css"];
    SQL = "SQL", Text, "application/sql", ["sql"];
    C_SOURCE = "C", Text, "text/x-c", ["c", "h", "cpp", "hpp", "cc", "cxx", "hh", "m", "ino"];
    JAVA = "JAVA", Text, "text/x-java", ["java"];
    CSHARP = "C#", Text, "text/x-csharp", ["cs"];
    GO = "GO", Text, "text/x-go", ["go"];
    RUST = "RUST", Text, "text/x-rust", ["rs"];
    YARA_RULES = "YARA", Text, "text/x-yara", ["yar", "yara"];
    DIFF = "DIFF", Text, "text/x-diff", ["diff", "patch"];
    PLAYLIST = "M3U", Text, "audio/x-mpegurl", ["m3u", "m3u8"];
    WEBVTT = "WEBVTT", Text, "text/vtt", ["vtt"];
    INTEL_HEX = "INTEL HEX", Data, "text/x-intel-hex", ["hex", "ihex"];
    HTTP_MESSAGE = "HTTP", Text, "message/http", [];
    BASE64 = "Base64", Text, PLAIN, ["b64", "base64", "txt"];
    HEX = "HEX", Text, PLAIN, ["hex", "txt"];
    TEXT = "TEXT", Text, PLAIN,
        ["txt", "log", "md", "text", "csv", "cfg", "conf", "ini", "nfo", "lst", "rst", "readme", "license", "srt"];

    // Keys and certificates.
    CERT = "CERT", Data, "application/x-x509-cert", ["crt", "cer", "pem", "der", "csr", "crl"];
    PRIVATE_KEY = "PRIVATE KEY", Data, "application/x-pem-key", ["key", "pem", "p8", "der"];
    PUBLIC_KEY = "PUBLIC KEY", Data, "application/x-pem-key", ["pub", "pem", "key"];
    PKCS7 = "PKCS7", Data, "application/pkcs7-mime", ["p7b", "p7m", "p7s", "p7c", "cat"];
    PKCS12 = "PKCS12", Data, "application/x-pkcs12", ["p12", "pfx"];
    SSH_KEY = "SSH KEY", Data, "application/x-openssh-key", ["", "key", "pem", "ppk", "pub"];
    PGP = "PGP", Data, "application/pgp", ["asc", "pgp", "gpg", "sig"];
    KEYSTORE = "JAVA KEYSTORE", Data, "application/x-java-keystore", ["jks", "keystore", "jceks"];
    KEEPASS = "KEEPASS", Data, "application/x-keepass2", ["kdbx", "kdb"];
    KERBEROS_CCACHE = "KERBEROS CCACHE", Data, OCTETS, ["ccache", ""];
    KERBEROS_KEYTAB = "KERBEROS KEYTAB", Data, OCTETS, ["keytab"];
    KERBEROS_TICKET = "KERBEROS TICKET", Data, OCTETS, ["kirbi"];
    DPAPI = "DPAPI BLOB", Data, OCTETS, [];
    AGE = "AGE", Data, "application/x-age-encryption", ["age"];

    // Traces of operating systems.
    MDMP = "MDMP", Data, "application/x-dmp", ["dmp", "mdmp"];
    LSASS_DUMP = "LSASS Dump File", Data, "application/x-dmp", ["dmp", "mdmp"];
    CRASH_DUMP = "CRASH DUMP", Data, "application/x-dmp", ["dmp"];
    EVTX = "EVTX", Data, "application/x-ms-evtx", ["evtx"];
    EVT = "EVT", Data, "application/x-ms-evt", ["evt"];
    REGISTRY_HIVE = "REGISTRY HIVE", Data, "application/x-ms-registry", ["dat", "hve", "", "hiv", "log1", "log2"];
    PREFETCH = "PREFETCH", Data, OCTETS, ["pf"];
    LNK = "LNK", Data, "application/x-ms-shortcut", ["lnk"];
    ESE_DB = "ESE DB", Data, "application/x-ese", ["edb", "dit", "dat", "sdb"];
    SHIM_DB = "SDB", Data, OCTETS, ["sdb"];
    MFT = "MFT", Data, OCTETS, ["mft", ""];
    JOURNAL = "SYSTEMD JOURNAL", Data, OCTETS, ["journal"];
    PCAP = "PCAP", Data, "application/vnd.tcpdump.pcap", ["pcap", "cap", "dmp"];
    PCAPNG = "PCAPNG", Data, "application/x-pcapng", ["pcapng", "ntar"];
    SQLITE = "SQLITE", Data, "application/vnd.sqlite3", ["sqlite", "sqlite3", "db", "db3"];
    ACCESS_DB = "ACCESS DB", Data, "application/x-msaccess", ["mdb", "accdb", "mde", "accde"];
    BPLIST = "BPLIST", Data, "application/x-bplist", ["plist", "strings", "webarchive"];
    DS_STORE = "DS_STORE", Data, OCTETS, ["ds_store"];

    // Serialised objects and data sets.
    JAVA_SERIALIZED = "JAVA SERIALIZED", Data, "application/x-java-serialized-object", ["ser", "bin"];
    NET_SERIALIZED = "NET SERIALIZED", Data, OCTETS, ["bin"];
    PICKLE = "PICKLE", Data, "application/x-python-pickle", ["pkl", "pickle", "p"];
    NUMPY = "NUMPY", Data, "application/x-numpy", ["npy"];
    GGUF = "GGUF", Data, OCTETS, ["gguf"];
    HDF5 = "HDF5", Data, "application/x-hdf5", ["h5", "hdf5", "hdf"];
    PARQUET = "PARQUET", Data, "application/vnd.apache.parquet", ["parquet"];
    TORRENT = "TORRENT", Data, "application/x-bittorrent", ["torrent"];
    GIT_PACK = "GIT PACK", Data, "application/x-git", ["pack"];
    GIT_BUNDLE = "GIT BUNDLE", Data, "application/x-git-bundle", ["bundle"];

    // Pictures, sound, film and fonts.
    JPEG = "JPEG", Image, "image/jpeg", ["jpg", "jpeg", "jpe", "jfif", "mpo"];
    PNG = "PNG", Image, "image/png", ["png", "apng"];
    GIF = "GIF", Image, "image/gif", ["gif"];
    BMP = "BMP", Image, "image/bmp", ["bmp", "dib"];
    TIFF = "TIFF", Image, "image/tiff", ["tif", "tiff", "dng", "nef", "cr2", "arw"];
    WEBP = "WEBP", Image, "image/webp", ["webp"];
    ICO = "ICO", Image, "image/vnd.microsoft.icon", ["ico"];
    CUR = "CUR", Image, "image/x-win-bitmap", ["cur"];
    ANI = "ANI", Image, "application/x-navi-animation", ["ani"];
    PSD = "PSD", Image, "image/vnd.adobe.photoshop", ["psd", "psb"];
    HEIC = "HEIC", Image, "image/heic", ["heic", "heif"];
    AVIF = "AVIF", Image, "image/avif", ["avif"];
    JP2 = "JP2", Image, "image/jp2", ["jp2", "j2k", "jpx", "jpf"];
    JXL = "JXL", Image, "image/jxl", ["jxl"];
    ICNS = "ICNS", Image, "image/x-icns", ["icns"];
    EMF = "EMF", Image, "image/emf", ["emf"];
    WMF = "WMF", Image, "image/wmf", ["wmf"];
    XCF = "XCF", Image, "image/x-xcf", ["xcf"];
    DDS = "DDS", Image, "image/vnd-ms.dds", ["dds"];
    MP3 = "MP3", Audio, "audio/mpeg", ["mp3"];
    WAV = "WAV", Audio, "audio/vnd.wave", ["wav"];
    FLAC = "FLAC", Audio, "audio/flac", ["flac"];
    OGG = "OGG", Audio, "application/ogg", ["ogg", "oga", "ogv", "opus", "spx", "ogx"];
    M4A = "M4A", Audio, "audio/mp4", ["m4a", "m4b", "m4p"];
    MIDI = "MIDI", Audio, "audio/midi", ["mid", "midi"];
    AIFF = "AIFF", Audio, "audio/x-aiff", ["aif", "aiff", "aifc"];
    AMR = "AMR", Audio, "audio/amr", ["amr"];
    AU = "AU", Audio, "audio/basic", ["au", "snd"];
    AAC = "AAC", Audio, "audio/aac", ["aac"];
    MP4 = "MP4", Video, "video/mp4", ["mp4", "m4v", "f4v"];
    MOV = "MOV", Video, "video/quicktime", ["mov", "qt"];
    THREE_GP = "3GP", Video, "video/3gpp", ["3gp", "3g2"];
    AVI = "AVI", Video, "video/x-msvideo", ["avi"];
    MKV = "MKV", Video, "video/x-matroska", ["mkv", "mka", "mks", "mk3d"];
    WEBM = "WEBM", Video, "video/webm", ["webm"];
    ASF = "ASF", Video, "application/vnd.ms-asf", ["asf", "wmv", "wma"];
    FLV = "FLV", Video, "video/x-flv", ["flv"];
    MPEG = "MPEG", Video, "video/mpeg", ["mpg", "mpeg", "vob"];
    REALMEDIA = "REALMEDIA", Video, "application/vnd.rn-realmedia", ["rm", "rmvb"];
    RIFF = "RIFF", Data, OCTETS, [];
    TTF = "TTF", Data, "font/ttf", ["ttf", "ttc"];
    OTF = "OTF", Data, "font/otf", ["otf"];
    WOFF = "WOFF", Data, "font/woff", ["woff"];
    WOFF2 = "WOFF2", Data, "font/woff2", ["woff2"];
}
