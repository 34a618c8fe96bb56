//! The control socket between the `isthmus` console and the `isthmusd` daemon.
//!
//! The socket is `RUN_DIR/isthmusd.sock` (stream, mode 0660). Both sides speak frames: a length
//! (four bytes, big endian) followed by that many bytes of JSON. The client speaks first, with
//! [`Request::Hello`]; the daemon answers [`Reply::Welcome`], or [`Reply::Bye`] with the reason.
//! After that the client sends one [`Request::Exec`] at a time and reads until [`Reply::Done`].
//!
//! - [`protocol`]: the messages.
//! - [`codec`]: bytes to messages and back, no IO.
//! - [`client`]: a blocking client for the console.
//! - [`stream`]: the same over tokio, for the daemon (and a console that wants to be async).

pub mod client;
pub mod codec;
pub mod protocol;
pub mod stream;

pub use codec::{Decoder, FrameError, MAX_REPLY, MAX_REQUEST, OUTPUT_CHUNK, encode};
pub use protocol::{
    AskKind, Hello, PRESS_RETURN, PROTOCOL_VERSION, Reply, Request, SOCKET_NAME, Status,
    TerminalSettings, Welcome,
};
