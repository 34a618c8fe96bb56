//! Informational exchanges: notifications and deletes (RFC 2409 5.7, RFC 2408 3.14 and 3.15).

use crate::cause::Cause;
use crate::effect::{Effect, Turn};
use crate::event::{DropReason, Event};
use crate::peer_text;
use crate::registry::{ExchangeType, NotifyType, ProtocolId};
use crate::sa::Common;
use crate::status::StateWord;
use crate::v1::live::Live;
use crate::v1::message::{open, seal};
use crate::v1::quick_mode::states::QuickState;
use crate::v1::state::{Sa, State};
use crate::wire::Header;
use crate::wire::v1::{
    Body, Chain, Ciphertext, Delete, Message, Notification, Payload, Protected, Unprotected,
};

/// SPIs of a delete that debug is told of.
const MAX_SPIS_TOLD: usize = 32;

impl Sa {
    /// An informational message.
    pub(super) fn informational(
        mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        message: &Message,
    ) -> Self {
        let message_id = message.header.message_id;
        match (&message.body, &mut self.state) {
            (Body::Clear(payloads), _) => self.in_clear(common, turn, message_id, payloads),
            (Body::Encrypted(ciphertext), State::Established(live)) => {
                live.informational(common, turn, message_id, ciphertext);
            }
            (Body::Encrypted(_), state) => {
                let detail = "encrypted informational message before the SA is established";
                turn.dropped(DropReason::Unexpected, detail);
                if matches!(state, State::AwaitsProof(_)) {
                    turn.push(Effect::Provisional(Cause::KeyDiffers {
                        peer: common.remote.ip(),
                        certain: false,
                        seen: "peer answered our proof with a message that we cannot read".into(),
                    }));
                }
            }
        }
        self
    }

    /// In clear nothing is authenticated: it can only end a negotiation that is not either.
    fn in_clear(
        &self,
        common: &Common,
        turn: &mut Turn<'_>,
        message_id: u32,
        payloads: &Unprotected,
    ) {
        for notification in payloads.notifications() {
            notify_received(turn, notification, message_id, false);
        }
        let mut kinds = payloads.notifications().map(|n| n.kind);
        let error = kinds.find(|kind| kind.is_error());
        let cause = match (&self.state, error) {
            (State::AwaitsChoice(state), Some(notify)) => Some(Cause::PolicyRefused {
                offered: state.offered.clone(),
                notify,
            }),
            (State::AwaitsProof(_), Some(notify)) => Some(Cause::KeyDiffers {
                peer: common.remote.ip(),
                certain: false,
                seen: format!("peer answered {notify} to our proof"),
            }),
            _ => None,
        };
        match cause {
            Some(cause) => turn.push(Effect::Failed(cause)),
            None => turn.dropped(DropReason::NotEncrypted, "informational message in clear"),
        }
    }
}

impl Live {
    fn informational(
        &mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        message_id: u32,
        ciphertext: &Ciphertext,
    ) {
        if self.ids.is_used(message_id) {
            let detail = format!("informational message id {message_id:#x} again");
            return turn.dropped(DropReason::Repeat, detail);
        }
        let keys = &self.sa.keys;
        let iv = keys.exchange_iv(&self.sa.last_block, message_id);
        let payloads = match open(keys, &iv, ciphertext) {
            Ok((payloads, _)) => payloads,
            Err(error) => return turn.dropped(DropReason::Undecryptable, error.to_string()),
        };
        let authentic = payloads.hashed().is_some_and(|(hash, covered)| {
            crate::crypto::equal(hash, &keys.hash_1(message_id, covered))
        });
        if !authentic {
            let detail = "hash of an informational message is wrong";
            return turn.dropped(DropReason::BadHash, detail);
        }
        if !self.takes(message_id, &payloads) {
            let detail = "dead peer detection that nothing waits for";
            return turn.dropped(DropReason::Repeat, detail);
        }
        self.life.heard = turn.now;
        self.authentic_informational(common, turn, message_id, &payloads);
        self.count_message_ids(turn);
    }

    /// Takes an authentic message, unless it is a replay. Dead peer detection by itself is known by its numbers, everything
    /// else by its message id.
    fn takes(&mut self, message_id: u32, payloads: &Protected) -> bool {
        let is_dpd = |payload: &Payload| {
            matches!(payload, Payload::Notification(notification)
                if matches!(notification.kind, NotifyType::R_U_THERE | NotifyType::R_U_THERE_ACK))
        };
        // The first payload is the hash.
        if payloads.len() > 1 && payloads.iter().skip(1).all(is_dpd) {
            let mut notifications = payloads.notifications();
            return match (notifications.next(), notifications.next()) {
                (Some(only), None) => self.dpd.take(only, message_id),
                _ => false,
            };
        }
        self.ids.note(message_id);
        true
    }

    fn authentic_informational(
        &mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        message_id: u32,
        payloads: &Protected,
    ) {
        let alone = payloads.len() == 2;
        for notification in payloads.notifications() {
            notify_received(turn, notification, message_id, true);
            match notification.kind {
                NotifyType::R_U_THERE | NotifyType::R_U_THERE_ACK
                    if !alone && !self.dpd.take(notification, message_id) => {}
                NotifyType::R_U_THERE => self.answer_peer(common, turn, notification),
                NotifyType::R_U_THERE_ACK => self.peer_answered(common, turn, notification),
                NotifyType::INITIAL_CONTACT => turn.push(Effect::InitialContact),
                kind if kind.is_error() => self.error_received(turn, notification),
                _ => {}
            }
        }
        for delete in payloads.deletes() {
            delete_received(turn, delete);
        }
    }

    /// An error notification is about a child that the peer does not have, about message 3 of a quick mode of ours, or answers
    /// message 1 of one.
    fn error_received(&mut self, turn: &mut Turn<'_>, came: &Notification) {
        match came.kind {
            NotifyType::INVALID_SPI => {
                if let Some(child) = child_named(turn, came) {
                    return turn.push(Effect::ChildUnknown(child));
                }
            }
            NotifyType::PAYLOAD_MALFORMED
            | NotifyType::INVALID_HASH_INFORMATION
            | NotifyType::AUTHENTICATION_FAILED
                if came.spi.is_empty() =>
            {
                if let Some(child) = turn.tables.unread_child(turn.now) {
                    return turn.push(Effect::ConfirmationUnread(child));
                }
            }
            _ => {}
        }
        self.quick_mode_refused(turn, came);
    }

    /// Which of our quick modes an error is about is told by the SPI, or is clear when there is only one.
    fn quick_mode_refused(&mut self, turn: &mut Turn<'_>, came: &Notification) {
        let spi = number(&came.spi);
        let ours = self
            .quick
            .iter()
            .filter_map(|(message_id, quick)| match &quick.state {
                QuickState::AwaitsAnswer(state) => Some((*message_id, state)),
                QuickState::AwaitsConfirmation(_) => None,
            });
        let named = ours.clone().find(|(message_id, state)| {
            let named_by_id = number(&came.data) == Some(*message_id);
            spi.is_some_and(|spi| spi == state.own.esp || spi == state.own.ah) || named_by_id
        });
        let mut all = ours;
        let only = match (all.next(), all.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        };
        let Some((message_id, state)) = named.or(only) else {
            return;
        };
        let subject = state.request.subject;
        let Some(connection) = turn.config.connection(subject.connection) else {
            return;
        };
        let cause = Cause::ChildRefused {
            notify: came.kind,
            local: subject.local,
            remote: subject.remote,
            offered: state.offered.clone(),
            pfs: state.terms.pfs,
            origin: connection.origin.clone(),
        };
        self.quick_mode_failed(turn, message_id, cause);
    }

    /// Sends payloads in an informational exchange.
    pub(crate) fn send_informational(
        &mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        payloads: &[Payload],
    ) {
        let message_id = self.ids.draw();
        let keys = &self.sa.keys;
        let exchange = ExchangeType::INFORMATIONAL;
        let header = Header::v1(common.cookies, exchange, message_id);
        let chain = Chain::encode(payloads).and_then(|chain| {
            let hash = keys.hash_1(message_id, chain.bytes());
            chain.prepend(&Payload::Hash(hash))
        });
        // A delete of more SPIs than fit one message is split before it comes here.
        let Ok(chain) = chain else { return };
        let mut iv = keys.exchange_iv(&self.sa.last_block, message_id);
        let bytes = seal(keys, &mut iv, header, chain);
        let (role, length) = (common.role, bytes.len());
        turn.push(Effect::Send(bytes));
        turn.debug(|| Event::PacketSent {
            exchange,
            message_id,
            role,
            state: StateWord::QmIdle,
            length,
        });
    }

    /// Tells the peer that its quick mode is refused.
    pub(crate) fn notify(
        &mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        protocol: ProtocolId,
        notify: NotifyType,
        spi: Vec<u8>,
    ) {
        let payload = Notification::new(protocol, notify, spi.clone(), []);
        self.send_informational(common, turn, &[Payload::Notification(payload)]);
        turn.debug(|| Event::NotifySent {
            notify,
            protocol,
            spi,
            message_id: 0,
        });
    }

    /// Tells the peer that the ISAKMP SA is gone, through that SA.
    pub(crate) fn delete(&mut self, common: &Common, turn: &mut Turn<'_>) {
        let cookies = common.cookies;
        self.send_informational(common, turn, &[Payload::Delete(Delete::isakmp(cookies))]);
        turn.debug(|| Event::DeleteSent {
            protocol: ProtocolId::ISAKMP,
            spis: vec![cookies.bytes().to_vec()],
        });
    }

    /// Tells the peer that these inbound SAs of ours are gone.
    pub(crate) fn delete_children(
        &mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        deletes: Vec<(ProtocolId, u32)>,
    ) {
        for (protocol, spi) in deletes {
            let delete = Delete::children(protocol, &[spi]);
            self.send_informational(common, turn, &[Payload::Delete(delete)]);
            let spis = vec![spi.to_be_bytes().to_vec()];
            turn.debug(|| Event::DeleteSent { protocol, spis });
        }
    }
}

/// The child under whose SPI the peer got packets that it cannot read (RFC 2408 3.14.1); none when the SPI is of no child.
fn child_named(turn: &Turn<'_>, came: &Notification) -> Option<crate::child::ChildId> {
    let spis = [&came.spi, &came.data]
        .into_iter()
        .filter_map(|bytes| number(bytes));
    spis.flat_map(|spi| [(ProtocolId::ESP, spi), (ProtocolId::AH, spi)])
        .find_map(|(protocol, spi)| turn.tables.child_of_peer(protocol, spi))
}

fn number(bytes: &[u8]) -> Option<u32> {
    <[u8; 4]>::try_from(bytes).map(u32::from_be_bytes).ok()
}

fn notify_received(
    turn: &mut Turn<'_>,
    notification: &Notification,
    message_id: u32,
    protected: bool,
) {
    turn.debug(|| Event::NotifyReceived {
        notify: notification.kind,
        protocol: notification.protocol,
        spi: peer_text::first(&notification.spi).to_vec(),
        message_id,
        protected,
    });
}

fn delete_received(turn: &mut Turn<'_>, delete: &Delete) {
    turn.debug(|| Event::DeleteReceived {
        protocol: delete.protocol,
        spis: delete
            .spis()
            .take(MAX_SPIS_TOLD)
            .map(|spi| peer_text::first(spi).to_vec())
            .collect(),
    });
    for spi in delete.spis() {
        match delete.protocol {
            ProtocolId::ISAKMP => {
                if let Ok(cookies) = <[u8; 16]>::try_from(spi) {
                    turn.push(Effect::Deleted(cookies));
                }
            }
            protocol @ (ProtocolId::AH | ProtocolId::ESP) => {
                if let Some(spi) = number(spi) {
                    turn.push(Effect::ChildDeleted(protocol, spi));
                }
            }
            _ => {}
        }
    }
}
