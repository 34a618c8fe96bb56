//! What a show command says, before it has a form: the facts. Text and JSON are both made from them, so they cannot
//! disagree. The `impl`s of [`Facts`] are beside each screen; `show` chooses one; sessions print it.

use jiff::ZonedDateTime;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::json::{Moment, moment};

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
