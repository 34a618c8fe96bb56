//! Data attributes (RFC 2408 3.3): a class and either a 16-bit value or a string of bytes.

use serde::{Deserialize, Serialize};

use super::MAX_ATTRIBUTES;
use crate::wire::{Expected, Malformed, Reader, TooLong};

/// The bit that marks a basic (type/value) attribute.
const BASIC: u16 = 0x8000;

/// A data attribute. The class is numbered by `IkeAttribute` in phase 1 and by `IpsecAttribute` in phase 2.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Attribute {
    /// Attribute class, 15 bits.
    pub class: u16,
    /// Its value, in the form it has on the wire.
    pub value: AttributeValue,
}

/// Value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AttributeValue {
    /// Type/value form.
    Basic(u16),
    /// Type/length/value form.
    Variable(Vec<u8>),
}

impl Attribute {
    /// An attribute in the basic form.
    pub fn basic(class: u16, value: u16) -> Self {
        Self {
            class: class & !BASIC,
            value: AttributeValue::Basic(value),
        }
    }

    /// An attribute in the variable form.
    pub fn variable(class: u16, value: impl Into<Vec<u8>>) -> Self {
        Self {
            class: class & !BASIC,
            value: AttributeValue::Variable(value.into()),
        }
    }

    /// A number: basic if it fits 16 bits, else four bytes. Not for classes that must be variable.
    pub fn number(class: u16, value: u32) -> Self {
        match u16::try_from(value) {
            Ok(value) => Self::basic(class, value),
            Err(_) => Self::variable(class, value.to_be_bytes()),
        }
    }

    /// The value as a number, if it is one of at most 64 bits. RFC 2409 App. A lets a number come in either form.
    pub fn as_number(&self) -> Option<u64> {
        match &self.value {
            AttributeValue::Basic(value) => Some((*value).into()),
            AttributeValue::Variable(bytes) => {
                let significant = bytes.iter().skip_while(|b| **b == 0);
                if bytes.is_empty() || significant.clone().count() > 8 {
                    return None;
                }
                Some(significant.fold(0, |value, byte| value << 8 | u64::from(*byte)))
            }
        }
    }

    pub(super) fn decode_list(reader: &mut Reader<'_>) -> Result<Vec<Self>, Malformed> {
        let mut list = Vec::new();
        while !reader.is_empty() {
            if list.len() == MAX_ATTRIBUTES {
                return Err(reader.malformed(
                    0,
                    "attribute count",
                    Expected::AtMost(MAX_ATTRIBUTES),
                    list.len() + 1,
                ));
            }
            let class = reader.u16("attribute type")?;
            let value = reader.u16("attribute value or length")?;
            list.push(if class & BASIC != 0 {
                Self::basic(class, value)
            } else {
                Self::variable(class, reader.take(value.into(), "attribute value")?)
            });
        }
        Ok(list)
    }

    pub(super) fn encode_list(list: &[Self], out: &mut Vec<u8>) -> Result<(), TooLong> {
        for attribute in list {
            match &attribute.value {
                AttributeValue::Basic(value) => {
                    out.extend_from_slice(&(attribute.class | BASIC).to_be_bytes());
                    out.extend_from_slice(&value.to_be_bytes());
                }
                AttributeValue::Variable(bytes) => {
                    let length = u16::try_from(bytes.len()).map_err(|_| TooLong {
                        what: "attribute value",
                        length: bytes.len(),
                        most: u16::MAX.into(),
                    })?;
                    out.extend_from_slice(&(attribute.class & !BASIC).to_be_bytes());
                    out.extend_from_slice(&length.to_be_bytes());
                    out.extend_from_slice(bytes);
                }
            }
        }
        Ok(())
    }
}
