//! From the running-config to what the engine and the kernel understand, and from the engine's children to kernel SAs.
//! Pure; called by `reconcile` and `router`.
//!
//! [`crypto_map`] looks everything up that a crypto map entry refers to ([`unknown`]: what lines that are not understood could
//! add to it) → [`flows`] makes its connection, flows and lines ([`selector`] reads single lines) → [`units`] keeps what all
//! entries ask for and follows their changes ([`order`] orders their lines, [`ranks`] gives them places, [`claims`] says which
//! policies follow, [`shadow`] finds lines that never match); [`engine`] does policies and keys; [`child`] does SAs.

pub mod child;
pub mod claims;
pub mod crypto_map;
pub mod dry;
pub mod engine;
pub mod entry;
pub mod flows;
pub mod network;
pub mod order;
mod ranks;
pub mod selector;
mod shadow;
pub mod source;
pub mod units;
pub mod unknown;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod unknown_tests;
#[cfg(test)]
pub(crate) mod whole;
