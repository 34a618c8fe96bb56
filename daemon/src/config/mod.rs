//! The running configuration: the model, how commands change it, how it is printed, how it is loaded and saved.

pub mod apply;
pub mod check;
mod current;
pub mod cursor;
pub mod difference;
pub mod encrypt;
pub mod hide;
pub mod load;
pub mod model;
mod rank;
pub mod render;
pub mod secret;
pub mod startup;
pub mod weak;

#[cfg(test)]
mod tests;

pub use apply::{Applied, Origin, Refused, apply, remove_kept};
pub use current::Current;
pub use cursor::{Cursor, Reading};
pub use load::{Problem, load, merge};
pub use model::Running;
pub use model::context::Context;
