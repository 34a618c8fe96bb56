//! What the endpoint gives an ISAKMP SA to do: a message, a timer, a request. `sa::State` passes it on to the SA's version of
//! IKE, which answers the next state and effects (`effect`).

use crate::cause::Cause;
use crate::child_request::ChildRequest;
use crate::config::Connection;
use crate::question::{Answer, Question};
use crate::registry::ProtocolId;
use crate::wire::v1::Message;

/// One task.
pub(crate) enum Task<'a> {
    /// A message of IKEv1, and its digest
    MessageV1(&'a Message, u64),
    /// The peer repeated the message of IKEv1 that our last one of phase 1 answers
    RepeatedV1,
    /// Send the last message of an exchange again, or give up; message id 0 is phase 1
    Retransmit(u32),
    /// As the responder, phase 1 has taken too long
    HalfOpenTooLong,
    /// No repeats of what a finished exchange answered come any more
    ForgetAnswer(u32),
    /// The outside answers the question that is out
    Answer(Answer),
    /// The outside has not answered
    Unanswered(&'a Question),
    /// Set the timer of a periodic keepalive
    ScheduleKeepalive,
    /// The keepalive timer is due
    KeepaliveDue,
    /// Ask whether the peer is there, unless that was asked
    AskPeer,
    /// Begin the exchange for a child
    StartChild(ChildRequest, &'a Connection),
    /// Forget exchanges of ours with which the peer is done by now
    Settle,
    /// Tell the peer that these inbound SAs of ours are gone
    DeleteChildren(Vec<(ProtocolId, u32)>),
    /// An exchange of the peer's went with another endpoint: the peer is told that our SPIs of it are gone
    TakeBack(u32, Vec<(ProtocolId, u32)>),
    /// Tell the peer that the SA is gone
    Delete,
    /// The SA goes: its exchanges fail for this cause, and none begins any more
    EndExchanges(&'a Cause),
    /// The SA is gone: its exchanges are dropped without a word
    DropExchanges,
}
