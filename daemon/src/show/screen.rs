//! What a show command says, before it has a form: the facts. Text and JSON are both made from them, so they cannot
//! disagree. The `impl`s of [`Facts`] are beside each screen; `show` chooses one; sessions print it.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::ZonedDateTime;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// The facts of one screen. The names of the JSON fields are those of the Rust fields (or their `serde(rename)`), and
/// their documentation becomes the page `JSON.md`. What only shapes the text (`detail`) is skipped.
pub trait Facts: Serialize + JsonSchema {
    /// As IOS prints it, every line ended.
    fn text(&self) -> String;
}

/// [`Facts`] of any kind.
pub trait Screen: erased_serde::Serialize {
    /// As IOS prints it, every line ended.
    fn text(&self) -> String;

    /// What the JSON form looks like.
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema;
}

impl<T: Facts> Screen for T {
    fn text(&self) -> String {
        Facts::text(self)
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.root_schema_for::<T>()
    }
}

erased_serde::serialize_trait_object!(Screen);

/// The JSON form of a show command: the facts and where they come from.
#[derive(Serialize, JsonSchema)]
pub struct Document<'a> {
    /// The command, spelled out, without `| json`.
    pub command: &'a str,
    /// The router that answers.
    pub hostname: &'a str,
    /// When it answered.
    #[serde(serialize_with = "moment")]
    #[schemars(with = "Moment")]
    pub time: &'a ZonedDateTime,
    /// What the command shows; the rest of this page says what is in it.
    #[schemars(with = "serde_json::Value")]
    pub data: &'a dyn Screen,
}

impl Document<'_> {
    /// The document for a terminal: indented, every line ended.
    #[must_use]
    pub fn print(&self) -> String {
        // Writing to memory cannot fail, and no key of ours is anything but text.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

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
