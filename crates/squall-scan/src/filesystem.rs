//! Which file systems hold no files but views of the kernel.
//!
//! What such a "file" says is made up when it is read; some block, some have
//! side effects, and none can be malware at rest. Memory file systems such as
//! the one of `/dev/shm` hold real files and are not among them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The magic numbers of pseudo file systems, from `linux/magic.h`.
const PSEUDO: [u64; 22] = [
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x1cd1,      // devpts
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0xcafe_4a11, // bpf
    0x6165_676c, // pstore
    0xde5e_81e4, // efivarfs
    0x6265_6570, // configfs
    0xf97c_ff8c, // selinuxfs
    0x4341_5d53, // smackfs
    0x4249_4e4d, // binfmt_misc
    0x1980_0202, // mqueue
    0x6759_6969, // rpc_pipefs
    0x0187,      // autofs: entering one mounts something
    0x6e73_6673, // nsfs
    0x6573_5543, // fusectl
    0x0bad_1dea, // futexfs
    0x5a3c_69f0, // apparmorfs
];

/// Tells for each device whether it is a pseudo file system; each is asked
/// once.
#[derive(Debug, Default)]
pub(crate) struct FileSystems(Mutex<HashMap<u64, bool>>);

impl FileSystems {
    /// Tells whether the file system with the device number `device`, on which
    /// `path` is, is a pseudo one. What cannot be asked counts as a real one:
    /// then its files are at least tried.
    pub(crate) fn is_pseudo(&self, device: u64, path: &Path) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(device).or_insert_with(|| ask(path))
    }
}

#[cfg(target_os = "linux")]
fn ask(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|facts| {
        // The type of the field differs from platform to platform; the numbers
        // are of 32 bits.
        let magic = facts.f_type as u64 & 0xffff_ffff;
        PSEUDO.contains(&magic)
    })
}

#[cfg(not(target_os = "linux"))]
fn ask(_: &Path) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn is_pseudo(path: &str) -> bool {
        let device = std::fs::metadata(path).expect("there").dev();
        FileSystems::default().is_pseudo(device, Path::new(path))
    }

    #[test]
    fn views_of_the_kernel_are_told_from_files() {
        assert!(is_pseudo("/proc"));
        assert!(is_pseudo("/proc/self/fd"));
        let dir = tempfile::tempdir().expect("temporary directory");
        assert!(!is_pseudo(dir.path().to_str().expect("text")));
        assert!(!is_pseudo("/"));
    }
}
