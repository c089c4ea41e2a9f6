//! Further formats, recognised by the `file-format` crate.
//!
//! This is an allow list under names of our own. Left out on purpose: formats
//! the own table decides better, and those the crate tells by two or three
//! bytes that any other file may start with. Only the crate's signature table
//! is used, on a bounded head; its readers, which follow lengths and offsets
//! found in the content, are not compiled in.

use file_format::{FileFormat, Kind as CrateKind};

use super::{FileType, HEAD_MAX_BYTES, Kind, bytes};

macro_rules! allow {
    ($function:ident: $($variant:ident $name:literal,)*) => {
        const fn $function(format: FileFormat) -> Option<FileType> {
            match format {
                $(FileFormat::$variant => {
                    const FORMAT: &FileFormat = &FileFormat::$variant;
                    const FOUND: FileType = FileType::new(
                        $name,
                        kind(FORMAT.kind()),
                        FORMAT.media_type(),
                        &[FORMAT.extension()],
                    );
                    Some(FOUND)
                })*
                _ => None,
            }
        }
    };
}

/// Recognises a binary format.
pub(super) fn detect_binary(content: &[u8]) -> Option<FileType> {
    binary(identify(content))
}

/// Recognises a format that is text, or a binary one whose whole head happens
/// to be printable.
pub(super) fn detect_text(text: &[u8]) -> Option<FileType> {
    textual(identify(text))
}

fn identify(content: &[u8]) -> FileFormat {
    FileFormat::from_bytes(bytes::head(content, HEAD_MAX_BYTES))
}

const fn kind(kind: CrateKind) -> Kind {
    match kind {
        CrateKind::Archive | CrateKind::Compressed | CrateKind::Disk | CrateKind::Package => {
            Kind::Archive
        }
        CrateKind::Audio => Kind::Audio,
        CrateKind::Document
        | CrateKind::Ebook
        | CrateKind::Presentation
        | CrateKind::Spreadsheet
        | CrateKind::Formula
        | CrateKind::Diagram => Kind::Document,
        CrateKind::Executable | CrateKind::Rom => Kind::Executable,
        CrateKind::Image => Kind::Image,
        CrateKind::Video => Kind::Video,
        CrateKind::Playlist | CrateKind::Subtitle => Kind::Text,
        _ => Kind::Data,
    }
}

allow! { binary:
    AdobeIndesignDocument "INDD",
    AgeEncryption "AGE",
    AdaptableScalableTextureCompression "ASTC",
    AmigaDiskFile "ADF",
    AndroidBinaryXml "ANDROID XML",
    AndroidResourceStorageContainer "ARSC",
    ApacheArrowColumnar "ARROW",
    ApacheAvro "AVRO",
    Atari7800Rom "ATARI ROM",
    AudioVisualResearch "AVR",
    AutocadDrawing "DWG",
    AutodeskAlias "WIRE",
    BetterPortableGraphics "BPG",
    Blender "BLEND",
    BmfontBinary "BMFONT",
    BroadBandEbook "LRF",
    Bzip3 "BZIP3",
    CanonRaw "CRW",
    Cineon "CINEON",
    Cinema4d "C4D",
    Commodore64Cartridge "C64 CARTRIDGE",
    CorelPresentations "SHW",
    CreativeVoice "VOC",
    DigitalImagingAndCommunicationsInMedicine "DICOM",
    DigitalPictureExchange "DPX",
    DrawingExchangeFormatBinary "DXF",
    EightBitSampledVoice "8SVX",
    EmbeddedOpentype "EOT",
    Farbfeld "FARBFELD",
    Fasttracker2ExtendedModule "XM",
    Filmbox "FBX",
    FlexibleAndInteroperableDataTransfer "FIT",
    FlexibleImageTransportSystem "FITS",
    FreeLosslessImageFormat "FLIF",
    FujifilmRaw "RAF",
    GameBoyAdvanceRom "GBA ROM",
    GameBoyColorRom "GAMEBOY ROM",
    GameBoyRom "GAMEBOY ROM",
    GettextMachineObject "GETTEXT",
    GlTransmissionFormatBinary "GLB",
    GoogleDraco "DRACO",
    IccProfile "ICC",
    ImpulseTrackerModule "IT MODULE",
    InterQuakeModel "IQM",
    JpegExtendedRange "JXR",
    JpegNetworkGraphics "JNG",
    KhronosTexture "KTX",
    KhronosTexture2 "KTX2",
    Larc "LZS",
    LempelZivFiniteStateEntropy "LZFSE",
    LongRangeZip "LRZIP",
    MacosAlias "MACOS ALIAS",
    Magicavoxel "VOX",
    MagickImageFileFormat "MIFF",
    MaterialExchangeFormat "MXF",
    MayaBinary "MAYA",
    MegaDriveRom "MEGADRIVE ROM",
    MicrosoftReader "LIT",
    MicrosoftWorksDatabase "WORKS DB",
    MicrosoftWorksSpreadsheet "WKS",
    MicrosoftWorksWordProcessor "WPS",
    MicrosoftWrite "WRI",
    Mobipocket "MOBI",
    Model3dBinary "M3D",
    MonkeysAudio "APE",
    MozillaArchive "MAR",
    MultiLayerArchive "MLA",
    MultipleImageNetworkGraphics "MNG",
    Musepack "MUSEPACK",
    NeoGeoPocketColorRom "NEOGEO ROM",
    NeoGeoPocketRom "NEOGEO ROM",
    NikonElectronicFile "NEF",
    Nintendo64Rom "N64 ROM",
    NintendoDsRom "NDS ROM",
    NintendoEntertainmentSystemRom "NES ROM",
    NintendoSwitchExecutable "NSO",
    NintendoSwitchPackage "NSP",
    NintendoSwitchRom "XCI",
    OlympusRawFormat "ORF",
    Openexr "EXR",
    Opennurbs "3DM",
    PanasonicRaw "RW2",
    PictureExchange "PCX",
    Pmarc "PMA",
    PolygonBinary "PLY",
    PortableBitmap "PBM",
    PortableFloatmap "PFM",
    PortableGraymap "PGM",
    PortablePixmap "PPM",
    PortableArbitraryMap "PAM",
    QuiteOkAudio "QOA",
    QuiteOkImage "QOI",
    RadianceHdr "HDR",
    Realaudio "REALAUDIO",
    Rzip "RZIP",
    ScreamTracker3Module "S3M",
    Shapefile "SHP",
    SiliconGraphicsMovie "SGI MOVIE",
    Sketchup "SKP",
    SonyDsdStreamFile "DSF",
    Soundfont2 "SF2",
    Stuffit "SIT",
    StuffitX "SITX",
    ThreeDimensionalStudio "3DS",
    UltimateSoundtrackerModule "MOD",
    Universal3d "U3D",
    UniversalSceneDescriptionBinary "USDC",
    VirtualboxVirtualDiskImage "VDI",
    Wavpack "WAVPACK",
    WindowsRecordedTvShow "WTV",
    WordperfectDocument "WPD",
    WordperfectGraphics "WPG",
    WordperfectMacro "WPM",
    WordperfectPresentations "SHW",
    Xbox360Executable "XEX",
    XboxExecutable "XBE",
    Zpaq "ZPAQ",
}

allow! { textual:
    Abiword "ABIWORD",
    AbiwordTemplate "ABIWORD",
    BmfontAscii "BMFONT",
    DrawingExchangeFormatAscii "DXF",
    Glyphs "GLYPHS",
    InitialGraphicsExchangeSpecification "IGES",
    InterQuakeExport "IQE",
    MayaAscii "MAYA",
    MicrosoftVisualStudioSolution "SLN",
    PolygonAscii "PLY",
    PortableBitmap "PBM",
    PortableGraymap "PGM",
    PortablePixmap "PPM",
    ShoutcastPlaylist "PLS",
    StandardForTheExchangeOfProductModelData "STEP",
    SubripText "SRT",
    UniversalSceneDescriptionAscii "USDA",
    VirtualRealityModelingLanguage "VRML",
    WebassemblyText "WAT",
    XPixmap "XPM",
}

/// How many types this module adds, by name, for the tests.
#[cfg(test)]
pub(super) fn all() -> Vec<FileType> {
    let kinds = [
        CrateKind::Archive,
        CrateKind::Audio,
        CrateKind::Compressed,
        CrateKind::Database,
        CrateKind::Disk,
        CrateKind::Document,
        CrateKind::Ebook,
        CrateKind::Executable,
        CrateKind::Font,
        CrateKind::Geospatial,
        CrateKind::Image,
        CrateKind::Metadata,
        CrateKind::Model,
        CrateKind::Other,
        CrateKind::Package,
        CrateKind::Playlist,
        CrateKind::Presentation,
        CrateKind::Rom,
        CrateKind::Spreadsheet,
        CrateKind::Subtitle,
        CrateKind::Video,
    ];
    kinds
        .iter()
        .flat_map(|kind| FileFormat::from_kind(*kind))
        .filter_map(|format| binary(*format).or(textual(*format)))
        .collect()
}
