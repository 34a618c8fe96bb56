//! An established ISAKMP SA as plain data.

use serde::{Deserialize, Serialize};

use crate::crypto::{Iv, Phase1Keys};
use crate::status::AgreedPolicy;

/// What survives of phase 1. Serialisable: a restarted daemon could go on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Established {
    /// What was agreed
    pub policy: AgreedPolicy,
    /// Its keys
    pub keys: Phase1Keys,
    /// Last block of phase 1, from which the IV of every later exchange is made (RFC 2409 app. B)
    pub last_block: Iv,
}
