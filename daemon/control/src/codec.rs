//! Frames to messages and back, without IO: used by [`crate::client`] and [`crate::stream`].

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};

/// The longest request body the daemon takes, in bytes.
pub const MAX_REQUEST: usize = 64 * 1024;

/// The longest reply body a client takes, in bytes: an introduction carries banners, and the privilege rules and aliases
/// that the configuration bounds, and JSON may write six bytes for one.
pub const MAX_REPLY: usize = 8 * 1024 * 1024;

/// The most text the daemon puts in one Output, in bytes; JSON escapes stay below [`MAX_REPLY`].
pub const OUTPUT_CHUNK: usize = 32 * 1024;

const HEADER: usize = 4;

/// Why a stream of frames cannot go on. The connection is of no more use.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The other side announced more than the limit.
    #[error("a frame of {len} bytes is over the limit of {limit} bytes")]
    TooLong {
        /// The length announced.
        len: usize,
        /// The limit for this direction.
        limit: usize,
    },
    /// The body is not a message of this protocol.
    #[error("not a message of this protocol: {0}")]
    Message(#[from] serde_json::Error),
    /// The connection ended inside a frame.
    #[error("the connection ended inside a frame")]
    Truncated,
    /// The socket failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// One message as a frame.
///
/// # Errors
/// [`FrameError::TooLong`] when the message is over `limit` bytes.
pub fn encode<T: Serialize>(message: &T, limit: usize) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; HEADER];
    serde_json::to_writer(&mut frame, message)?;
    let len = frame.len() - HEADER;
    if len > limit {
        return Err(FrameError::TooLong { len, limit });
    }
    let header = u32::try_from(len).map_err(|_| FrameError::TooLong { len, limit })?;
    frame[..HEADER].copy_from_slice(&header.to_be_bytes());
    Ok(frame)
}

/// Collects bytes and gives whole messages.
#[derive(Debug)]
pub struct Decoder<T> {
    buffer: Vec<u8>,
    start: usize,
    limit: usize,
    message: PhantomData<T>,
}

impl<T: DeserializeOwned> Decoder<T> {
    /// A decoder that refuses bodies over `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            limit,
            message: PhantomData,
        }
    }

    /// Adds bytes as they came from the socket.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, if there is one.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] as soon as the header says so, [`FrameError::Message`] when the
    /// body is not a message. Do not go on after either.
    pub fn next_message(&mut self) -> Result<Option<T>, FrameError> {
        let pending = &self.buffer[self.start..];
        let Some((header, rest)) = pending.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let len = u32::from_be_bytes(*header) as usize;
        if len > self.limit {
            return Err(FrameError::TooLong {
                len,
                limit: self.limit,
            });
        }
        let Some(body) = rest.get(..len) else {
            return Ok(None);
        };
        let message = serde_json::from_slice(body)?;
        self.start += HEADER + len;
        Ok(Some(message))
    }

    /// True when no part of a frame is waiting: the connection may end here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start == self.buffer.len()
    }
}
