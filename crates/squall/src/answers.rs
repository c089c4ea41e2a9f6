//! What the service asks of kept samples and of outputs, answered: neither of
//! those crates knows the service's.

use std::sync::Arc;

use squall_output::{OutputHealth, Outputs};
use squall_server::{KeptSamples, KeptSamplesStats, OutputState, OutputStates};
use squall_worker::Keeper;

/// Lets the service have samples that were kept.
pub(crate) struct Kept(pub(crate) Arc<Keeper>);

impl KeptSamples for Kept {
    fn read(&self, sha256: [u8; 32]) -> std::io::Result<Option<Vec<u8>>> {
        self.0.content(&sha256)
    }

    fn stats(&self) -> KeptSamplesStats {
        let stats = self.0.stats();
        KeptSamplesStats {
            samples: stats.samples,
            bytes: stats.bytes,
            refused: stats.refused,
            removed: stats.removed,
        }
    }

    fn holds(&self, sha256: [u8; 32]) -> bool {
        self.0.holds(&sha256)
    }
}

/// Tells the service how receivers fare.
pub(crate) struct Delivery(pub(crate) Outputs);

impl OutputStates for Delivery {
    fn states(&self) -> Vec<OutputState> {
        let state = |health: Arc<OutputHealth>| OutputState {
            target: health.target().to_owned(),
            sent: health.sent(),
            dropped: health.dropped(),
            waiting: health.waiting(),
            lag_bytes: health.lag_bytes(),
            age: health.age(),
        };
        self.0.health().into_iter().map(state).collect()
    }
}
