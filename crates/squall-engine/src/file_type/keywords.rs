//! The vocabulary of scripts: which words point to which language, and where in
//! a line they have to stand to do so.

use super::script::Language::{
    self, AutoIt, C, CSharp, Go, Java, JavaScript, Lua, Perl, PowerShell, Python, Ruby, Shell, Vba,
    Vbs,
};

/// Where a word has to stand to count.
#[derive(Clone, Copy)]
pub(super) enum Context {
    /// Anywhere outside of a comment.
    Anywhere,
    /// In front of a parenthesis.
    Called,
    /// At the start of a line.
    First,
    /// In front of a dot, as the owner of what follows.
    Owner,
}

/// A word and what it says.
pub(super) struct Keyword {
    pub(super) context: Context,
    pub(super) language: Language,
    pub(super) points: u16,
}

use Context::{Anywhere, Called, First, Owner};

const fn says(language: Language, points: u16, context: Context) -> Keyword {
    Keyword {
        context,
        language,
        points,
    }
}

/// Sorted by word.
const KEYWORDS: &[(&str, Keyword)] = &[
    ("$args", says(PowerShell, 2, Anywhere)),
    ("$env", says(PowerShell, 3, Anywhere)),
    ("$erroractionpreference", says(PowerShell, 4, Anywhere)),
    ("$false", says(PowerShell, 3, Anywhere)),
    ("$null", says(PowerShell, 3, Anywhere)),
    ("$psscriptroot", says(PowerShell, 4, Anywhere)),
    ("$psversiontable", says(PowerShell, 4, Anywhere)),
    ("$true", says(PowerShell, 3, Anywhere)),
    ("-bxor", says(PowerShell, 3, Anywhere)),
    ("-encodedcommand", says(PowerShell, 3, Anywhere)),
    ("-eq", says(PowerShell, 1, Anywhere)),
    ("-erroraction", says(PowerShell, 3, Anywhere)),
    ("-executionpolicy", says(PowerShell, 2, Anywhere)),
    ("-join", says(PowerShell, 3, Anywhere)),
    ("-like", says(PowerShell, 1, Anywhere)),
    ("-match", says(PowerShell, 2, Anywhere)),
    ("-noprofile", says(PowerShell, 2, Anywhere)),
    ("-notmatch", says(PowerShell, 3, Anywhere)),
    ("-replace", says(PowerShell, 2, Anywhere)),
    ("-split", says(PowerShell, 2, Anywhere)),
    ("-windowstyle", says(PowerShell, 2, Anywhere)),
    ("__init__", says(Python, 2, Anywhere)),
    ("__name__", says(Python, 4, Anywhere)),
    ("activexobject", says(JavaScript, 4, Called)),
    ("addeventlistener", says(JavaScript, 2, Called)),
    ("adodb.stream", says(Vbs, 2, Anywhere)),
    ("ascw", says(Vbs, 1, Called)),
    ("attr_accessor", says(Ruby, 4, First)),
    ("attr_reader", says(Ruby, 4, First)),
    ("autoopen", says(Vba, 3, Called)),
    ("base64.b64decode", says(Python, 4, Called)),
    ("charcodeat", says(JavaScript, 2, Called)),
    ("chomp", says(Perl, 2, Called)),
    ("chr", says(Vbs, 1, Called)),
    ("chrw", says(Vbs, 1, Called)),
    ("console.log", says(JavaScript, 4, Called)),
    ("console.writeline", says(CSharp, 4, Called)),
    ("createelement", says(JavaScript, 2, Called)),
    ("createobject", says(Vbs, 3, Called)),
    ("document", says(JavaScript, 2, Owner)),
    ("document.getelementbyid", says(JavaScript, 4, Called)),
    ("document.write", says(JavaScript, 4, Called)),
    ("document_open", says(Vba, 4, Called)),
    ("downloadfile", says(PowerShell, 1, Called)),
    ("downloadstring", says(PowerShell, 2, Called)),
    ("elif", says(Python, 1, First)),
    ("elif", says(Shell, 1, First)),
    ("endfunc", says(AutoIt, 4, First)),
    ("esac", says(Shell, 3, First)),
    ("eval", says(JavaScript, 1, Called)),
    ("except", says(Python, 1, First)),
    ("exec", says(Python, 1, Called)),
    ("execute", says(Vbs, 2, Called)),
    ("executeglobal", says(Vbs, 4, Anywhere)),
    ("exports", says(JavaScript, 2, Owner)),
    ("fmt.printf", says(Go, 3, Called)),
    ("fmt.println", says(Go, 3, Called)),
    ("frombase64string", says(PowerShell, 2, Called)),
    ("getobject", says(Vbs, 2, Called)),
    ("iex", says(PowerShell, 2, Anywhere)),
    ("inputbox", says(Vbs, 2, Called)),
    ("instr", says(Vbs, 1, Called)),
    ("io.popen", says(Lua, 3, Called)),
    ("ipairs", says(Lua, 3, Called)),
    ("iwr", says(PowerShell, 1, Anywhere)),
    ("json.parse", says(JavaScript, 3, Called)),
    ("json.stringify", says(JavaScript, 3, Called)),
    ("len", says(Python, 1, Called)),
    ("loadstring", says(Lua, 3, Called)),
    ("math.floor", says(JavaScript, 1, Called)),
    ("module.exports", says(JavaScript, 4, Anywhere)),
    ("msgbox", says(Vbs, 3, First)),
    ("msxml2.xmlhttp", says(Vbs, 1, Anywhere)),
    ("net.sockets.tcpclient", says(PowerShell, 2, Anywhere)),
    ("net.webclient", says(PowerShell, 2, Anywhere)),
    ("os.environ", says(Python, 3, Anywhere)),
    ("os.execute", says(Lua, 3, Called)),
    ("os.system", says(Python, 4, Called)),
    ("pairs", says(Lua, 2, Called)),
    ("parseint", says(JavaScript, 2, Called)),
    ("print", says(Python, 1, Called)),
    ("printf", says(C, 1, Called)),
    ("puts", says(Ruby, 2, First)),
    ("range", says(Python, 1, Called)),
    ("require", says(JavaScript, 2, Called)),
    ("require_relative", says(Ruby, 4, First)),
    ("scripting.filesystemobject", says(Vbs, 2, Anywhere)),
    ("self", says(Python, 1, Owner)),
    ("settimeout", says(JavaScript, 2, Called)),
    ("shellexecute", says(AutoIt, 1, Called)),
    ("stdout.writeline", says(Vbs, 1, Anywhere)),
    ("string.fromcharcode", says(JavaScript, 4, Called)),
    ("subprocess", says(Python, 2, Owner)),
    ("sys.argv", says(Python, 3, Anywhere)),
    ("sys.exit", says(Python, 2, Called)),
    ("system.convert", says(PowerShell, 1, Anywhere)),
    ("system.net.webclient", says(PowerShell, 2, Anywhere)),
    ("system.out.println", says(Java, 4, Called)),
    ("table.insert", says(Lua, 3, Called)),
    ("typeof", says(JavaScript, 1, Anywhere)),
    ("ubound", says(Vbs, 2, Called)),
    ("undefined", says(JavaScript, 1, Anywhere)),
    ("unescape", says(JavaScript, 2, Called)),
    ("window", says(JavaScript, 2, Owner)),
    ("workbook_open", says(Vba, 4, Called)),
    ("wscript.arguments", says(Vbs, 3, Anywhere)),
    ("wscript.createobject", says(JavaScript, 2, Called)),
    ("wscript.createobject", says(Vbs, 2, Called)),
    ("wscript.echo", says(Vbs, 4, Anywhere)),
    ("wscript.quit", says(Vbs, 3, Anywhere)),
    ("wscript.scriptfullname", says(Vbs, 3, Anywhere)),
    ("wscript.shell", says(JavaScript, 1, Anywhere)),
    ("wscript.shell", says(Vbs, 2, Anywhere)),
    ("wscript.sleep", says(Vbs, 3, Anywhere)),
    ("xmlhttprequest", says(JavaScript, 2, Called)),
];

/// Words that hold sentences together and have no place in code.
static PROSE: &[&str] = &[
    "an", "are", "be", "been", "but", "can", "has", "have", "he", "it", "its", "may", "must", "of",
    "on", "our", "she", "should", "so", "such", "that", "the", "their", "there", "they", "to",
    "was", "we", "were", "which", "will", "with", "would", "you", "your",
];

static VERBS: &[&str] = &[
    "add",
    "clear",
    "compress",
    "convertfrom",
    "convertto",
    "copy",
    "disable",
    "enable",
    "enter",
    "expand",
    "export",
    "foreach",
    "format",
    "get",
    "import",
    "invoke",
    "join",
    "measure",
    "move",
    "new",
    "out",
    "read",
    "register",
    "remove",
    "rename",
    "resolve",
    "restart",
    "select",
    "set",
    "sort",
    "split",
    "start",
    "stop",
    "test",
    "update",
    "wait",
    "where",
    "write",
];

static NOUNS: &[&str] = &[
    "acl",
    "aduser",
    "alias",
    "archive",
    "bitstransfer",
    "childitem",
    "ciminstance",
    "clipboard",
    "command",
    "computerinfo",
    "content",
    "credential",
    "csv",
    "date",
    "error",
    "eventlog",
    "executionpolicy",
    "expression",
    "file",
    "help",
    "host",
    "hotfix",
    "item",
    "itemproperty",
    "job",
    "json",
    "localgroup",
    "localgroupmember",
    "localuser",
    "location",
    "member",
    "module",
    "modulemember",
    "mppreference",
    "netfirewallrule",
    "netipaddress",
    "null",
    "object",
    "output",
    "path",
    "process",
    "property",
    "psdrive",
    "pssession",
    "random",
    "restmethod",
    "scheduledtask",
    "scheduledtaskaction",
    "securestring",
    "service",
    "sleep",
    "strictmode",
    "string",
    "table",
    "type",
    "variable",
    "verbose",
    "warning",
    "webrequest",
    "winevent",
    "wmievent",
    "wmimethod",
    "wmiobject",
    "xml",
];

/// For every first byte, where its words start in [`KEYWORDS`]. Nearly every
/// word of a text is in no table, and this settles it at once.
static STARTS: [u8; 257] = starts();

const fn starts() -> [u8; 257] {
    let mut starts = [0; 257];
    let mut index = 0;
    let mut byte = 0;
    while byte < starts.len() {
        while index < KEYWORDS.len() && (KEYWORDS[index].0.as_bytes()[0] as usize) < byte {
            index += 1;
        }
        assert!(index <= u8::MAX as usize, "the index does not fit a byte");
        starts[byte] = index as u8;
        byte += 1;
    }
    starts
}

/// What `word`, lower case, says, each with an index of its own.
pub(super) fn find(word: &[u8]) -> impl Iterator<Item = (usize, &'static Keyword)> {
    let bucket = word.first().map_or(0..0, |first| {
        let first = usize::from(*first);
        usize::from(STARTS[first])..usize::from(STARTS[first + 1])
    });
    let start = bucket.start;
    KEYWORDS[bucket]
        .iter()
        .enumerate()
        .filter(move |(_, (known, _))| known.as_bytes() == word)
        .map(move |(step, (_, keyword))| (start + step, keyword))
}

/// Whether `word`, lower case, is one of those sentences are held together by.
pub(super) fn is_prose(word: &[u8]) -> bool {
    word.len() <= 6 && is_in(PROSE, word)
}

/// The points for a PowerShell command such as `Get-ChildItem`. Written in the
/// case everyone writes them they are worth more than in lower case, where
/// `read-only` is an English word.
pub(super) fn cmdlet(lower: &[u8], word: &[u8]) -> Option<u16> {
    let dash = lower.iter().position(|byte| *byte == b'-')?;
    let (verb, noun) = (&lower[..dash], &lower[dash + 1..]);
    if !is_in(VERBS, verb) {
        return None;
    }
    let is_capital = |offset: usize| word.get(offset).is_some_and(u8::is_ascii_uppercase);
    let is_cased = is_capital(0) && is_capital(dash + 1);
    match (is_in(NOUNS, noun), is_cased) {
        (true, true) => Some(4),
        (true, false) => Some(2),
        (false, true) if noun.iter().all(u8::is_ascii_alphabetic) && noun.len() > 3 => Some(1),
        _ => None,
    }
}

fn is_in(sorted: &[&str], word: &[u8]) -> bool {
    sorted
        .binary_search_by(|known| known.as_bytes().cmp(word))
        .is_ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::{KEYWORDS, NOUNS, PROSE, VERBS};

    #[test]
    fn the_tables_are_sorted_for_the_binary_search() {
        assert!(KEYWORDS.is_sorted_by_key(|(word, _)| word));
        assert!(PROSE.is_sorted() && VERBS.is_sorted() && NOUNS.is_sorted());
        assert!(KEYWORDS.len() <= 256, "the set of seen words has 256 bits");
    }
}
