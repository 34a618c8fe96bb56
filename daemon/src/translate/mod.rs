//! From the running-config to what the engine and the kernel understand, and from the engine's children to kernel SAs.
//! Pure; called by `reconcile` and `router`.
//!
//! [`gather`] looks everything up that a crypto map entry refers to ([`unknown`]: what lines that are not understood could
//! add to it) → [`plan`] makes connections, flows and policies
//! ([`acl`] reads single lines, [`layout`] orders them, [`shadow`] finds those that never match) ; [`engine`] does policies and keys ; [`child`] does SAs.

pub mod acl;
pub mod child;
pub mod dry;
pub mod engine;
pub mod entry;
pub mod gather;
pub mod layout;
pub mod plan;
mod shadow;
pub mod unknown;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod unknown_tests;
