//! The codec: messages made elsewhere, broken ones, and round trips of generated ones.

mod known;
mod malformed;
mod round_trip;
