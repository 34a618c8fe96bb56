//! Lifetimes in the attributes of a transform, of both phases (RFC 2407 4.5, RFC 2409 appendix A).

use crate::registry::LifeType;

/// Two lifetimes, read from attributes in any order.
#[derive(Default)]
pub(crate) struct LifeReader {
    kind: Option<u64>,
    duration: Option<u64>,
    pub(crate) seconds: Option<u32>,
    pub(crate) kilobytes: Option<u32>,
}

impl LifeReader {
    pub(crate) fn kind(&mut self, kind: u64) {
        self.kind = Some(kind);
        self.settle();
    }

    pub(crate) fn duration(&mut self, duration: u64) {
        self.duration = Some(duration);
        self.settle();
    }

    /// A type and a duration, whichever came first, make one lifetime.
    fn settle(&mut self) {
        let (Some(kind), Some(duration)) = (self.kind, self.duration) else {
            return;
        };
        let duration = Some(u32::try_from(duration).unwrap_or(u32::MAX));
        if kind == u64::from(LifeType::SECONDS.0) {
            self.seconds = duration;
        } else if kind == u64::from(LifeType::KILOBYTES.0) {
            self.kilobytes = duration;
        }
        (self.kind, self.duration) = (None, None);
    }
}
