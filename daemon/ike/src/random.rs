//! Where randomness comes from: the caller, so that tests can repeat a run.

/// A source of random bytes fit for keys.
pub trait Randomness {
    /// Fills `bytes`.
    fn fill(&mut self, bytes: &mut [u8]);
}
