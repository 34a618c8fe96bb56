//! An XFRM netlink message as bytes that are wiped on drop and never printed, because SAs carry keys.
//! The fixed structures come from netlink-packet-xfrm, the attributes are laid behind them.

use std::fmt;

use netlink_packet_core::{
    DecodeError, Emitable, NetlinkDeserializable, NetlinkHeader, NetlinkSerializable,
};
use zeroize::Zeroizing;

/// Type and body, without the netlink header.
pub(super) struct Frame {
    pub kind: u16,
    pub body: Zeroizing<Vec<u8>>,
}

impl Frame {
    /// A message with its fixed structure and room for attributes.
    pub(super) fn new(kind: u16, head: &impl Emitable) -> Self {
        Self::with_room(kind, head, 256)
    }

    /// A message with its fixed structure and `room` bytes for attributes. If they fit, no copies of keys are left behind
    /// by growing.
    pub(super) fn with_room(kind: u16, head: &impl Emitable, room: usize) -> Self {
        let mut body = Zeroizing::new(Vec::with_capacity(head.buffer_len() + room));
        body.resize(head.buffer_len(), 0);
        head.emit(&mut body);
        Self { kind, body }
    }

    /// A message without any body.
    pub(super) fn empty(kind: u16) -> Self {
        Self {
            kind,
            body: Zeroizing::default(),
        }
    }

    /// Adds an attribute made of parts laid one behind the other.
    pub(super) fn attribute(mut self, kind: u16, parts: &[&[u8]]) -> Self {
        let length = 4 + parts.iter().map(|p| p.len()).sum::<usize>();
        self.body.extend_from_slice(&(length as u16).to_ne_bytes());
        self.body.extend_from_slice(&kind.to_ne_bytes());
        for part in parts {
            self.body.extend_from_slice(part);
        }
        let padded = self.body.len().next_multiple_of(4);
        self.body.resize(padded, 0);
        self
    }

    /// Adds an attribute that is a structure of netlink-packet-xfrm.
    pub(super) fn structure(self, kind: u16, value: &impl Emitable) -> Self {
        let mut bytes = vec![0; value.buffer_len()];
        value.emit(&mut bytes);
        self.attribute(kind, &[&bytes])
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "xfrm message {:#x} of {} bytes",
            self.kind,
            self.body.len()
        )
    }
}

impl NetlinkSerializable for Frame {
    fn message_type(&self) -> u16 {
        self.kind
    }

    fn buffer_len(&self) -> usize {
        self.body.len()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        buffer[..self.body.len()].copy_from_slice(&self.body);
    }
}

impl NetlinkDeserializable for Frame {
    type Error = DecodeError;

    fn deserialize(header: &NetlinkHeader, payload: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self {
            kind: header.message_type,
            body: Zeroizing::new(payload.to_vec()),
        })
    }
}

/// The attributes in `bytes`, type and value. Stops at the first that does not fit.
pub(super) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(bytes.get(2..4)?.try_into().ok()?) & 0x3fff;
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_and_read_back() {
        let frame = Frame::empty(1)
            .attribute(7, &[b"abc", b"de"])
            .attribute(9, &[]);
        assert_eq!(frame.body.len() % 4, 0);
        let read: Vec<_> = attributes(&frame.body).collect();
        assert_eq!(read, [(7, b"abcde".as_slice()), (9, b"".as_slice())]);
        assert_eq!(attributes(&frame.body[..6]).count(), 0);
        assert_eq!(
            attributes(&[3, 0, 1, 0]).count(),
            0,
            "a length under 4 is no attribute"
        );
    }

    #[test]
    fn a_frame_does_not_print_its_bytes() {
        let text = format!("{:?}", Frame::empty(16).attribute(1, &[b"secret"]));
        assert_eq!(text, "xfrm message 0x10 of 12 bytes");
    }
}
