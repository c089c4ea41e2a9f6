//! Every heuristic there is.

use super::view::{Place, View};
use super::{delivery, disguise, names, obfuscation, packing};

/// A check that is built in, and what is said when it speaks.
#[derive(Debug)]
pub(crate) struct Heuristic {
    /// Its name, as reports show it; never changed once published.
    pub(crate) name: &'static str,
    /// The sub-score; at most 75, so that no heuristic alone makes an Alert.
    pub(crate) score: i32,
    /// Tags in upper case; the last one is the ATT&CK technique.
    pub(crate) tags: &'static [&'static str],
    /// What it looks for, in words.
    pub(crate) description: &'static str,
    /// Where to read more.
    pub(crate) reference: &'static str,
    /// When it speaks though nothing is wrong.
    pub(crate) false_positives: &'static [&'static str],
    /// Looks at a file; `None` if there is nothing to say, else where it is.
    pub(super) look: fn(&View<'_>) -> Option<Vec<Place>>,
}

/// Every heuristic, in the order of the documentation.
pub(crate) static HEURISTICS: &[Heuristic] = &[
    Heuristic {
        name: "Heuristic_Executable_Disguised",
        score: 70,
        tags: &["HEURISTIC", "DISGUISE", "T1036.008"],
        description: "Program under the extension of a document, picture, text, archive or other \
                      harmless file",
        reference: "https://attack.mitre.org/techniques/T1036/008/",
        false_positives: &["Programs renamed to pass a mail filter"],
        look: disguise::program,
    },
    Heuristic {
        name: "Heuristic_Script_Disguised",
        score: 60,
        tags: &["HEURISTIC", "DISGUISE", "T1036.008"],
        description: "Shortcut, script or server page under the extension of a document, picture \
                      or other harmless file",
        reference: "https://attack.mitre.org/techniques/T1036/008/",
        false_positives: &[
            "Scripts renamed to pass a mail filter",
            "Test files of programs",
        ],
        look: disguise::script,
    },
    Heuristic {
        name: "Heuristic_Type_Extension_Mismatch",
        score: 45,
        tags: &["HEURISTIC", "DISGUISE", "T1036.008"],
        description: "Content that is not what the extension promises: an archive, an office \
                      file with active content or a store of secrets",
        reference: "https://attack.mitre.org/techniques/T1036/008/",
        false_positives: &[
            "Downloads saved under a wrong name",
            "Test files of programs",
        ],
        look: disguise::mismatch,
    },
    Heuristic {
        name: "Heuristic_Double_Extension",
        score: 65,
        tags: &["HEURISTIC", "DISGUISE", "T1036.007"],
        description: "Name that ends in the extension of a document, picture or film and then in \
                      that of a program",
        reference: "https://attack.mitre.org/techniques/T1036/007/",
        false_positives: &["Programs named after the format they convert"],
        look: names::double_extension,
    },
    Heuristic {
        name: "Heuristic_Padded_Extension",
        score: 65,
        tags: &["HEURISTIC", "DISGUISE", "T1036.007"],
        description: "Extension of a program, hidden from view behind many blanks",
        reference: "https://attack.mitre.org/techniques/T1036/007/",
        false_positives: &[],
        look: names::padded_extension,
    },
    Heuristic {
        name: "Heuristic_Name_Direction_Control",
        score: 70,
        tags: &["HEURISTIC", "DISGUISE", "T1036.002"],
        description: "Name with a character that turns the direction of reading, so that another \
                      extension shows",
        reference: "https://attack.mitre.org/techniques/T1036/002/",
        false_positives: &["Names of files in Arabic or Hebrew with explicit overrides"],
        look: names::direction_control,
    },
    Heuristic {
        name: "Heuristic_Trailing_Blank_In_Name",
        score: 60,
        tags: &["HEURISTIC", "DISGUISE", "T1036.006"],
        description: "Name of a program or script that ends in blanks or dots, which hide its \
                      extension from checks",
        reference: "https://attack.mitre.org/techniques/T1036/006/",
        false_positives: &["Slips of the keyboard"],
        look: names::trailing_blank,
    },
    Heuristic {
        name: "Heuristic_Executable_In_Mail",
        score: 60,
        tags: &["HEURISTIC", "MAIL", "T1566.001"],
        description: "Program, shortcut or script for Windows in the attachment of a mail",
        reference: "https://attack.mitre.org/techniques/T1566/001/",
        false_positives: &["Mail between developers and administrators"],
        look: delivery::in_mail,
    },
    Heuristic {
        name: "Heuristic_Single_Executable_In_Archive",
        score: 60,
        tags: &["HEURISTIC", "DISGUISE", "T1204.002"],
        description: "Archive that holds nothing but one program with the name of a document",
        reference: "https://attack.mitre.org/techniques/T1204/002/",
        false_positives: &["Small tools handed on in an archive"],
        look: delivery::alone_in_archive,
    },
    Heuristic {
        name: "Heuristic_Packed_Executable",
        score: 45,
        tags: &["HEURISTIC", "PACKED", "T1027.002"],
        description: "Windows program packed or protected by a known tool",
        reference: "https://attack.mitre.org/techniques/T1027/002/",
        false_positives: &["Installers, games and licensed software are packed, too"],
        look: packing::known_packer,
    },
    Heuristic {
        name: "Heuristic_Unlikely_Section",
        score: 50,
        tags: &["HEURISTIC", "PACKED", "T1027.002"],
        description: "Windows program with packed code in a section that compilers do not make",
        reference: "https://attack.mitre.org/techniques/T1027/002/",
        false_positives: &["Copy protection of games and licensed software"],
        look: packing::unlikely_section,
    },
    Heuristic {
        name: "Heuristic_Obfuscated_Script",
        score: 45,
        tags: &["HEURISTIC", "OBFUSCATED", "T1027"],
        description: "Script with a very long line of high entropy: packed, encoded or encrypted \
                      code",
        reference: "https://attack.mitre.org/techniques/T1027/",
        false_positives: &[
            "Pictures, fonts and programs embedded in scripts",
            "Encoded PHP modules",
        ],
        look: obfuscation::long_line,
    },
];
