//! Where [`super::units`] takes the entries of crypto maps from, one by one. [`super::crypto_map`] is it for the running-config.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::entry::Entry;

/// What has crypto maps on interfaces.
pub trait Source {
    /// Every map on an interface.
    fn places(&self) -> Places;

    /// The numbers of the map's entries on that place.
    fn sequences(&self, place: &Entry) -> BTreeSet<u16>;

    /// What has a number in the map on that place: nothing, or one entry, or several, of which at most one makes a connection.
    fn entries(&self, place: &Entry, sequence: u16) -> Gathered;
}

/// Every map on an interface.
#[derive(Debug, Default)]
pub struct Places {
    /// What the entries of each have in common; those of one interface together, last those of interfaces that are gone.
    pub places: Vec<Entry>,
    /// What the operator should know of maps.
    pub problems: Vec<String>,
}

/// What has one number in a map.
#[derive(Debug, Default)]
pub struct Gathered {
    /// In their order.
    pub entries: Vec<Entry>,
    /// What the operator should know.
    pub problems: Vec<String>,
    /// What was looked up for them, there or not.
    pub used: BTreeSet<NameHash>,
}

/// The name of something that entries refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Name<'a> {
    /// An access-list.
    AccessList(&'a str),
    /// A transform-set.
    TransformSet(&'a str),
}

/// A name in little space. Two names of one hash only make more to do.
pub type NameHash = u64;

impl Name<'_> {
    /// Its hash.
    #[must_use]
    pub fn key(&self) -> NameHash {
        let mut hasher = DefaultHasher::new();
        Hash::hash(self, &mut hasher);
        hasher.finish()
    }
}
