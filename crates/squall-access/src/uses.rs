//! When tokens were used last: written down now and then, in a file that only
//! the service writes.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::token::TokenId;
use crate::{file, private};

const FILE: &str = "last-use.json";
/// Largest file that is read.
const FILE_LEN_MAX: u64 = 16 << 20;

/// When and from where a token was used last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUse {
    /// When.
    #[serde(with = "crate::text::one")]
    pub at: Timestamp,
    /// From where.
    pub from: IpAddr,
}

/// The last uses of tokens.
#[derive(Debug)]
pub(crate) struct Uses {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    uses: HashMap<TokenId, LastUse>,
    changed: bool,
}

impl Uses {
    /// Goes on with what is written down.
    pub(crate) fn open(data_dir: &Path) -> Self {
        let uses = read(data_dir).unwrap_or_else(|error| {
            tracing::warn!(%error, "it is not known when tokens were used last");
            HashMap::new()
        });
        Self {
            path: path(data_dir),
            state: Mutex::new(State {
                uses,
                changed: false,
            }),
        }
    }

    /// Notes a use. Only tokens that were good come here, so there are no more
    /// of them than of tokens.
    pub(crate) fn note(&self, id: TokenId, from: IpAddr, at: Timestamp) {
        let mut state = crate::lock(&self.state);
        state.uses.insert(id, LastUse { at, from });
        state.changed = true;
    }

    /// Writes down what changed, of the tokens that `is_kept`.
    pub(crate) fn write(&self, is_kept: impl Fn(TokenId) -> bool) -> io::Result<()> {
        let text = {
            let mut state = crate::lock(&self.state);
            if !state.changed {
                return Ok(());
            }
            state.changed = false;
            state.uses.retain(|&id, _| is_kept(id));
            serde_json::to_vec(&state.uses)?
        };
        private::replace(&self.path, &text)
    }
}

fn path(data_dir: &Path) -> PathBuf {
    file::dir(data_dir).join(FILE)
}

/// Reads what is written down.
pub(crate) fn read(data_dir: &Path) -> io::Result<HashMap<TokenId, LastUse>> {
    let path = path(data_dir);
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Ok(file) if file.len() > FILE_LEN_MAX => return Err(io::ErrorKind::FileTooLarge.into()),
        _ => {}
    }
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}
