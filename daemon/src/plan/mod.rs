//! From the running-config to what the engine and the kernel understand, and from the engine's children to kernel SAs.
//! Pure; called by `reconcile` and `router`.
//!
//! [`crypto_map`] looks everything up that a crypto map entry refers to ([`unknown`]: what lines that are not understood could
//! add to it) → [`flows`] makes connections, flows and policies
//! ([`selector`] reads single lines, [`order`] orders them, [`shadow`] finds those that never match) ; [`engine`] does policies and keys ; [`child`] does SAs.

pub mod child;
pub mod crypto_map;
pub mod dry;
pub mod engine;
pub mod entry;
pub mod flows;
pub mod network;
pub mod order;
pub mod selector;
mod shadow;
pub mod unknown;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod unknown_tests;
