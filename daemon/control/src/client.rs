//! A blocking client, for the console.
//!
//! The read and write sides may be used from two threads ([`Client::try_clone`]): one reads
//! replies, the other sends an Interrupt.

use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::codec::{Decoder, FrameError, MAX_REPLY, MAX_REQUEST, encode};
use crate::protocol::{Reply, Request};

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    decoder: Decoder<Reply>,
}

impl Client {
    /// Connects to the daemon's socket. Nothing is sent yet.
    ///
    /// # Errors
    /// The socket's error: not there, no permission, no listener.
    pub fn connect(path: &Path) -> std::io::Result<Self> {
        Ok(Self::over(UnixStream::connect(path)?))
    }

    /// Speaks over a stream that is already connected.
    #[must_use]
    pub fn over(stream: UnixStream) -> Self {
        Self {
            stream,
            decoder: Decoder::new(MAX_REPLY),
        }
    }

    /// A second handle to the same socket, for sending from another thread. Only one of the
    /// two may receive.
    ///
    /// # Errors
    /// The system's error when no descriptor is left.
    pub fn try_clone(&self) -> std::io::Result<Self> {
        Ok(Self::over(self.stream.try_clone()?))
    }

    /// Sends one request.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] for a line over the limit, [`FrameError::Io`] when the daemon is gone.
    pub fn send(&mut self, request: &Request) -> Result<(), FrameError> {
        let frame = encode(request, MAX_REQUEST)?;
        self.stream.write_all(&frame)?;
        Ok(())
    }

    /// Waits for the next reply; `None` when the daemon closed the connection.
    ///
    /// # Errors
    /// [`FrameError`] when the stream is broken.
    pub fn receive(&mut self) -> Result<Option<Reply>, FrameError> {
        let mut chunk = [0; 16 * 1024];
        loop {
            if let Some(reply) = self.decoder.next_message()? {
                return Ok(Some(reply));
            }
            match self.stream.read(&mut chunk) {
                Ok(0) if self.decoder.is_empty() => return Ok(None),
                Ok(0) => return Err(FrameError::Truncated),
                Ok(n) => self.decoder.push(&chunk[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// The next reply if a whole one has already been read, without touching the socket: to be
    /// asked until it gives `None` before polling [`AsFd::as_fd`].
    ///
    /// # Errors
    /// [`FrameError`] when the stream is broken.
    pub fn buffered(&mut self) -> Result<Option<Reply>, FrameError> {
        self.decoder.next_message()
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
