//! What happens to the configuration besides being typed: copies that are kept of it, changes that are rolled back unless
//! confirmed, the scheduled reload, and changes of the whole of it. Sessions ask for these, the run loop keeps the time of the copies; the
//! router holds what is to be remembered ([`crate::router::change_control`]).

pub mod archive;
pub mod reload;
pub mod rollback;
pub mod startup;
#[cfg(test)]
mod tests;
pub mod whole;
