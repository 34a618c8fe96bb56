//! How values that are no numbers or words stand in JSON documents: times, durations, addresses with ports. Named by the
//! `serde` attributes of what `show` prints and of the facts that other floors have for it.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::ZonedDateTime;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// A point in time (RFC 3339).
pub struct Moment;

impl JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// Writes a point in time as RFC 3339 has it, in the router's zone.
pub fn moment<S: Serializer>(at: &ZonedDateTime, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&at.strftime("%Y-%m-%dT%H:%M:%S.%3f%:z"))
}

/// Writes a value in the word or number that the command line has for it.
pub fn shown<T: std::fmt::Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// Writes whole seconds.
pub fn seconds<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(time.as_secs())
}

/// Writes whole milliseconds.
pub fn milliseconds<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    time.as_millis().serialize(to)
}

/// Writes whole seconds, or `null`.
pub fn maybe_seconds<S: Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs()).serialize(to)
}

/// An address with a UDP port.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Endpoint {
    /// The address.
    pub address: std::net::IpAddr,
    /// The UDP port.
    pub port: u16,
}

/// Writes a socket address as an [`Endpoint`].
pub fn endpoint<S: Serializer>(socket: &SocketAddr, to: S) -> Result<S::Ok, S::Error> {
    let (address, port) = (socket.ip(), socket.port());
    Endpoint { address, port }.serialize(to)
}

/// Which side began.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// We sent the first message.
    Initiator,
    /// The peer did.
    Responder,
}

/// Writes whether we are the initiator as a [`Role`].
pub fn role<S: Serializer>(initiator: &bool, to: S) -> Result<S::Ok, S::Error> {
    let role = if *initiator {
        Role::Initiator
    } else {
        Role::Responder
    };
    role.serialize(to)
}
