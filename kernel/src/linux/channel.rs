//! The netlink socket for XFRM requests: batches go out in few datagrams, several under way, and come back in order.
//! `network.rs`, whose socket is rtnetlink's, uses [`prepare`], [`dump`] and [`Refusal`] too.

use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use futures::{Stream, StreamExt};
use netlink_packet_core::{
    ErrorMessage, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_proto::ConnectionHandle;
use netlink_proto::sys::protocols::NETLINK_XFRM;
use netlink_proto::sys::{AsyncSocket, SocketAddr, TokioSocket};

use super::frame::Frame;
use crate::sys;

/// Requests in one datagram.
const BATCH: usize = 32;
/// Datagrams whose answers are awaited at the same time.
const IN_FLIGHT: usize = 8;
/// Room for answers: well over BATCH × IN_FLIGHT acknowledgements.
pub(super) const RECEIVE_BUFFER: i32 = 4 << 20;
/// The kernel answers at once; this is for an answer that was lost.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The flag in a dump's messages that says it was changed under the reader's eyes.
const NLM_F_DUMP_INTR: u16 = 0x10;

/// What the kernel said no to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Positive error number; 0 if the connection is gone or no answer came.
    pub errno: i32,
    /// The kernel's explanation, often empty.
    pub text: String,
}

impl Refusal {
    pub(super) fn silent() -> Self {
        Self {
            errno: 0,
            text: String::new(),
        }
    }
}

impl From<&ErrorMessage> for Refusal {
    fn from(e: &ErrorMessage) -> Self {
        Self {
            errno: e.code.map_or(0, |code| code.get().abs()),
            text: explanation(&e.header),
        }
    }
}

#[derive(Debug)]
pub(super) struct Channel {
    handle: ConnectionHandle<Frame>,
    /// The socket's netlink port. A change carries it, and so do the notifications of the change.
    pub(super) port: u32,
}

impl Channel {
    /// Opens a socket and lets the tokio runtime drive it.
    pub(super) fn open() -> io::Result<Self> {
        let (mut connection, handle, _unsolicited) = netlink_proto::new_connection(NETLINK_XFRM)?;
        connection.set_forward_ack(true);
        let socket = connection.socket_mut();
        let port = socket.socket_mut().bind_auto()?.port_number();
        prepare(socket, RECEIVE_BUFFER)?;
        tokio::spawn(connection);
        Ok(Self { handle, port })
    }

    /// Makes changes; the answers are in the order of the requests.
    pub(super) async fn execute(&self, messages: Vec<Frame>) -> Vec<Result<(), Refusal>> {
        let mut chunks = Vec::new();
        let mut messages = messages.into_iter().peekable();
        while messages.peek().is_some() {
            chunks.push(messages.by_ref().take(BATCH).collect::<Vec<_>>());
        }
        let answers =
            futures::stream::iter(chunks.into_iter().map(|c| self.datagram(c))).buffered(IN_FLIGHT);
        answers
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .flatten()
            .collect()
    }

    async fn datagram(&self, messages: Vec<Frame>) -> Vec<Result<(), Refusal>> {
        let count = messages.len();
        let messages = messages.into_iter().map(|frame| {
            let mut message = message(NLM_F_REQUEST | NLM_F_ACK, frame);
            message.header.port_number = self.port;
            message
        });
        let mut results = Vec::with_capacity(count);
        if let Ok(answers) = self.handle.request_batch(messages, SocketAddr::new(0, 0)) {
            let collect = async {
                let mut answers = std::pin::pin!(answers);
                while let Some(answer) = answers.next().await {
                    if let NetlinkPayload::Error(e) = answer.payload {
                        results.push(outcome(&e));
                    }
                }
            };
            let _ = tokio::time::timeout(PATIENCE, collect).await;
        }
        results.resize(count, Err(Refusal::silent()));
        results
    }

    /// Asks for one thing.
    pub(super) async fn get(&self, request: Frame) -> Result<Frame, Refusal> {
        let (answers, _) = collect(self.ask(message(NLM_F_REQUEST, request))?).await?;
        answers.into_iter().next().ok_or_else(Refusal::silent)
    }

    /// Asks for many single things; the answers are in the order of the requests.
    pub(super) async fn get_each(
        &self,
        requests: impl IntoIterator<Item = Frame>,
    ) -> Vec<Result<Frame, Refusal>> {
        let answers = requests.into_iter().map(|request| self.get(request));
        futures::stream::iter(answers)
            .buffered(BATCH * IN_FLIGHT)
            .collect()
            .await
    }

    /// Asks for all things of a kind.
    pub(super) async fn dump(&self, kind: u16) -> Result<Vec<Frame>, Refusal> {
        dump(|| Frame::empty(kind), |request| self.ask(request)).await
    }

    fn ask(
        &self,
        request: NetlinkMessage<Frame>,
    ) -> Result<impl Stream<Item = NetlinkMessage<Frame>> + use<>, Refusal> {
        let kernel = SocketAddr::new(0, 0);
        self.handle
            .request(request, kernel)
            .map_err(|_| Refusal::silent())
    }
}

/// Asks for all things; asks again if they changed meanwhile.
pub(super) async fn dump<T, S: Stream<Item = NetlinkMessage<T>>>(
    request: impl Fn() -> T,
    mut ask: impl FnMut(NetlinkMessage<T>) -> Result<S, Refusal>,
) -> Result<Vec<T>, Refusal> {
    let mut tries = 4;
    loop {
        let answers = ask(message(NLM_F_REQUEST | NLM_F_DUMP, request()))?;
        let (all, torn) = collect(answers).await?;
        tries -= 1;
        if !torn || tries == 0 {
            return Ok(all);
        }
    }
}

/// All answers to a request, and whether they changed while they were told.
async fn collect<T>(
    answers: impl Stream<Item = NetlinkMessage<T>>,
) -> Result<(Vec<T>, bool), Refusal> {
    let collect = async {
        let mut answers = std::pin::pin!(answers);
        let (mut all, mut torn) = (Vec::new(), false);
        while let Some(answer) = answers.next().await {
            torn |= answer.header.flags & NLM_F_DUMP_INTR != 0;
            match answer.payload {
                NetlinkPayload::InnerMessage(m) => all.push(m),
                NetlinkPayload::Error(e) => outcome(&e)?,
                _ => {}
            }
        }
        Ok((all, torn))
    };
    tokio::time::timeout(PATIENCE, collect)
        .await
        .unwrap_or_else(|_| Err(Refusal::silent()))
}

/// Socket options that all our netlink sockets want: big buffer, errors that do not echo the request (it may hold
/// keys), the kernel's explanations.
pub(super) fn prepare(socket: &TokioSocket, receive_buffer: i32) -> io::Result<()> {
    let netlink = socket.socket_ref();
    netlink.set_cap_ack(true)?;
    netlink.set_ext_ack(true)?;
    sys::grow_receive_buffer(netlink.as_raw_fd(), receive_buffer);
    Ok(())
}

/// A request with its flags.
pub(super) fn message<T>(flags: u16, inner: T) -> NetlinkMessage<T> {
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    NetlinkMessage::new(header, NetlinkPayload::InnerMessage(inner))
}

fn outcome(e: &ErrorMessage) -> Result<(), Refusal> {
    match e.code {
        None => Ok(()),
        Some(_) => Err(e.into()),
    }
}

/// The text attribute (NLMSGERR_ATTR_MSG) behind the echoed header of 16 bytes.
fn explanation(echoed: &[u8]) -> String {
    let attributes = echoed.get(16..).unwrap_or_default();
    let text = super::frame::attributes(attributes).find(|(kind, _)| *kind == 1);
    let text = text.map(|(_, value)| value.strip_suffix(&[0]).unwrap_or(value));
    text.map(|t| String::from_utf8_lossy(t).into_owned())
        .unwrap_or_default()
}
