//! Frames over tokio, for the daemon's sessions.

use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::codec::{Decoder, FrameError, MAX_REPLY, MAX_REQUEST, encode};
use crate::protocol::{Reply, Request};

/// Reads messages from one half of a stream.
#[derive(Debug)]
pub struct FrameReader<R, T> {
    half: R,
    decoder: Decoder<T>,
}

impl<R: AsyncRead + Unpin> FrameReader<R, Request> {
    /// What the daemon reads.
    pub fn requests(half: R) -> Self {
        let decoder = Decoder::new(MAX_REQUEST);
        Self { half, decoder }
    }
}

impl<R: AsyncRead + Unpin> FrameReader<R, Reply> {
    /// What a client reads.
    pub fn replies(half: R) -> Self {
        let decoder = Decoder::new(MAX_REPLY);
        Self { half, decoder }
    }
}

impl<R: AsyncRead + Unpin, T: DeserializeOwned> FrameReader<R, T> {
    /// The next message; `None` at an orderly end. Cancel safe: a future dropped half way loses
    /// nothing.
    ///
    /// # Errors
    /// [`FrameError`]; the connection is of no more use after it.
    pub async fn next(&mut self) -> Result<Option<T>, FrameError> {
        let mut chunk = [0; 4096];
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(Some(message));
            }
            match self.half.read(&mut chunk).await? {
                0 if self.decoder.is_empty() => return Ok(None),
                0 => return Err(FrameError::Truncated),
                n => self.decoder.push(&chunk[..n]),
            }
        }
    }
}

/// Writes one reply. Not cancel safe: give it to a task of its own.
///
/// # Errors
/// [`FrameError`] when the reply is too long or the client is gone.
pub async fn write_reply<W: AsyncWrite + Unpin>(
    half: &mut W,
    reply: &Reply,
) -> Result<(), FrameError> {
    write(half, reply, MAX_REPLY).await
}

/// Writes one request. Not cancel safe.
///
/// # Errors
/// [`FrameError`] when the request is too long or the daemon is gone.
pub async fn write_request<W: AsyncWrite + Unpin>(
    half: &mut W,
    request: &Request,
) -> Result<(), FrameError> {
    write(half, request, MAX_REQUEST).await
}

async fn write<W: AsyncWrite + Unpin, T: Serialize>(
    half: &mut W,
    message: &T,
    limit: usize,
) -> Result<(), FrameError> {
    half.write_all(&encode(message, limit)?).await?;
    Ok(())
}
