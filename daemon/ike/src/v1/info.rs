//! Informational exchanges: notifications and deletes (RFC 2409 5.7, RFC 2408 3.14 and 3.15).

use std::net::IpAddr;

use crate::cause::Cause;
use crate::child::ChildId;
use crate::endpoint::Endpoint;
use crate::event::{DropReason, Event};
use crate::id::Path;
use crate::id::SaId;
use crate::peer_text;
use crate::registry::{ExchangeType, NotifyType, ProtocolId};
use crate::v1::live::Live;
use crate::v1::message::{clear, open, seal};
use crate::v1::quick_mode::states::{QuickState, protocol_number};
use crate::v1::state::State;
use crate::wire::v1::{
    Body, Chain, Ciphertext, Delete, Message, Notification, Payload, Protected, Unprotected,
};
use crate::wire::{Cookies, Header, Malformed};

/// Deletes of children kept for a peer with which there is no ISAKMP SA.
const MAX_UNTOLD: usize = 64;
/// SPIs of a delete that debug is told of.
const MAX_SPIS_TOLD: usize = 32;

impl Endpoint {
    /// An informational message for an SA.
    pub(crate) fn informational(&mut self, id: SaId, message: &Message) {
        match &message.body {
            Body::Clear(payloads) => self.clear_informational(id, message, payloads),
            Body::Encrypted(ciphertext) => {
                self.protected_informational(id, message.header.message_id, ciphertext);
            }
        }
    }

    /// In clear nothing is authenticated: it can only end a negotiation that is not either.
    fn clear_informational(&mut self, id: SaId, message: &Message, payloads: &Unprotected) {
        let Some(sa) = self.sas.get(&id) else { return };
        let path = sa.common.path();
        let message_id = message.header.message_id;
        for notification in payloads.notifications() {
            self.notify_received(path, notification, message_id, false);
        }
        let error = payloads
            .notifications()
            .map(|n| n.kind)
            .find(|kind| kind.is_error());
        let cause = match (&sa_state(self, id), error) {
            (Some(Refusable::Policies(offered)), Some(notify)) => Some(Cause::PolicyRefused {
                offered: offered.clone(),
                notify,
            }),
            (Some(Refusable::Proof(peer)), Some(notify)) => Some(Cause::KeyDiffers {
                peer: *peer,
                certain: false,
                seen: format!("peer answered {notify} to our proof"),
            }),
            _ => None,
        };
        match cause {
            Some(cause) => self.phase1_failed(id, cause),
            None => self.ctx.drop_datagram(
                path,
                DropReason::NotEncrypted,
                "informational message in clear".into(),
            ),
        }
    }

    fn protected_informational(&mut self, id: SaId, message_id: u32, ciphertext: &Ciphertext) {
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let path = sa.common.path();
        let peer = sa.common.peer();
        let Some((_, live)) = sa.live_mut() else {
            let provisional_cause = Cause::KeyDiffers {
                peer,
                certain: false,
                seen: "peer answered our proof with a message that we cannot read".into(),
            };
            let awaits_proof = matches!(sa.state, State::AwaitsProof(_));
            self.ctx.drop_datagram(
                path,
                DropReason::Unexpected,
                "encrypted informational message before the SA is established".into(),
            );
            if awaits_proof {
                self.set_provisional_cause(id, provisional_cause);
            }
            return;
        };
        if live.ids.is_used(message_id) {
            let detail = format!("informational message id {message_id:#x} again");
            return self.ctx.drop_datagram(path, DropReason::Repeat, detail);
        }
        let keys = &live.sa.keys;
        let iv = keys.exchange_iv(&live.sa.last_block, message_id);
        let payloads = match open(keys, &iv, ciphertext) {
            Ok((payloads, _)) => payloads,
            Err(error) => return self.undecryptable(id, error),
        };
        let authentic = payloads.hashed().is_some_and(|(hash, covered)| {
            crate::crypto::equal(hash, &keys.hash_1(message_id, covered))
        });
        if !authentic {
            let detail = "hash of an informational message is wrong".into();
            return self.ctx.drop_datagram(path, DropReason::BadHash, detail);
        }
        if !take(live, message_id, &payloads) {
            let detail = "dead peer detection that nothing waits for".into();
            return self.ctx.drop_datagram(path, DropReason::Repeat, detail);
        }
        live.heard = self.ctx.now;
        self.authentic_informational(id, message_id, &payloads);
        self.message_ids_used(id);
    }

    fn undecryptable(&mut self, id: SaId, error: Malformed) {
        let Some(sa) = self.sas.get(&id) else { return };
        let path = sa.common.path();
        self.ctx
            .drop_datagram(path, DropReason::Undecryptable, error.to_string());
    }

    fn authentic_informational(&mut self, id: SaId, message_id: u32, payloads: &Protected) {
        let Some(sa) = self.sas.get(&id) else { return };
        let path = sa.common.path();
        let alone = payloads.len() == 2;
        for notification in payloads.notifications() {
            self.notify_received(path, notification, message_id, true);
            match notification.kind {
                NotifyType::R_U_THERE | NotifyType::R_U_THERE_ACK
                    if !alone && !self.takes_dpd(id, notification, message_id) => {}
                NotifyType::R_U_THERE => self.answer_peer(id, notification),
                NotifyType::R_U_THERE_ACK => self.peer_answered(id, notification),
                NotifyType::INITIAL_CONTACT => self.initial_contact(id),
                NotifyType::INVALID_SPI if self.spi_unknown_to_peer(id, notification) => {}
                NotifyType::PAYLOAD_MALFORMED
                | NotifyType::INVALID_HASH_INFORMATION
                | NotifyType::AUTHENTICATION_FAILED
                    if notification.spi.is_empty() && self.message_3_unread(id) => {}
                kind if kind.is_error() => self.quick_mode_refused(id, notification),
                _ => {}
            }
        }
        for delete in payloads.deletes() {
            self.delete_received(id, delete);
        }
    }

    fn notify_received(
        &mut self,
        path: Path,
        notification: &Notification,
        message_id: u32,
        protected: bool,
    ) {
        self.ctx.debug(path, || Event::NotifyReceived {
            notify: notification.kind,
            protocol: notification.protocol,
            spi: peer_text::first(&notification.spi).to_vec(),
            message_id,
            protected,
        });
    }

    /// The peer got packets under an SPI that it does not have (RFC 2408 3.14.1): it has lost the
    /// child. False when the SPI is of no child, and the notification answers a quick mode.
    fn spi_unknown_to_peer(&mut self, id: SaId, notification: &Notification) -> bool {
        let Some(peer) = self.sas.get(&id).map(|sa| sa.common.peer()) else {
            return false;
        };
        let places = [&notification.spi, &notification.data];
        let spis = places.into_iter().filter_map(|bytes| {
            let bytes = <[u8; 4]>::try_from(bytes.as_slice()).ok()?;
            Some(u32::from_be_bytes(bytes))
        });
        let child = spis
            .flat_map(|spi| [(ProtocolId::ESP, spi), (ProtocolId::AH, spi)])
            .find_map(|(protocol, spi)| self.children.by_outbound(peer, protocol, spi));
        let Some(child) = child else {
            return false;
        };
        self.child_unknown_to_peer(child);
        true
    }

    /// An error notification: which of our quick modes it is about is told by the SPI, or is clear
    /// when there is only one.
    fn quick_mode_refused(&mut self, id: SaId, notification: &Notification) {
        let Some(live) = self.sas.get(&id).and_then(|sa| sa.live()) else {
            return;
        };
        let spi = <[u8; 4]>::try_from(notification.spi.as_slice())
            .map(u32::from_be_bytes)
            .ok();
        let ours = live
            .quick
            .iter()
            .filter_map(|(message_id, quick)| match &quick.state {
                QuickState::AwaitsAnswer(state) => Some((*message_id, state)),
                QuickState::AwaitsConfirmation(_) => None,
            });
        let named = ours.clone().find(|(message_id, state)| {
            let named_by_id = <[u8; 4]>::try_from(notification.data.as_slice())
                .is_ok_and(|data| u32::from_be_bytes(data) == *message_id);
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
        let Some(connection) = self.ctx.config.connection(state.subject.connection) else {
            return;
        };
        let cause = Cause::ChildRefused {
            notify: notification.kind,
            local: state.subject.local,
            remote: state.subject.remote,
            offered: state.offered.clone(),
            pfs: state.terms.pfs,
            map: connection.map.clone(),
            sequence: connection.sequence,
            access_list: connection.access_list.clone(),
        };
        self.quick_mode_failed(id, message_id, cause);
    }

    fn delete_received(&mut self, id: SaId, delete: &Delete) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (path, peer) = (sa.common.path(), sa.common.peer());
        self.ctx.debug(path, || Event::DeleteReceived {
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
                    let ids = self.by_peer.get(&peer).into_iter().flatten();
                    let mut named = ids.filter(|id| {
                        let sa = self.sas.get(id);
                        sa.is_some_and(|sa| sa.common.cookies.bytes() == spi)
                    });
                    if let Some(named) = named.next().copied() {
                        self.ike_deleted_by_peer(named);
                    }
                }
                protocol @ (ProtocolId::AH | ProtocolId::ESP) => {
                    let Ok(spi) = <[u8; 4]>::try_from(spi) else {
                        continue;
                    };
                    let spi = u32::from_be_bytes(spi);
                    if let Some(child) = self.children.by_outbound(peer, protocol, spi) {
                        self.child_deleted_by_peer(child);
                    }
                }
                _ => {}
            }
        }
    }

    /// Sends payloads in an informational exchange of an established SA.
    pub(crate) fn send_informational(&mut self, id: SaId, payloads: Vec<Payload>) {
        let message_id = self.fresh_message_id(id);
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let word = sa.state.word();
        let Some((common, live)) = sa.live_mut() else {
            return;
        };
        let keys = &live.sa.keys;
        let exchange = ExchangeType::INFORMATIONAL;
        let header = Header::v1(common.cookies, exchange, message_id);
        let chain = Chain::encode(&payloads).and_then(|chain| {
            let hash = keys.hash_1(message_id, chain.bytes());
            chain.prepend(&Payload::Hash(hash))
        });
        // A delete of more SPIs than fit one message is split before it comes here.
        let Ok(chain) = chain else { return };
        let mut iv = keys.exchange_iv(&live.sa.last_block, message_id);
        let bytes = seal(keys, &mut iv, header, chain);
        let (path, role, length) = (common.path(), common.role, bytes.len());
        self.ctx.transmit(path, bytes);
        self.ctx.debug(path, || Event::PacketSent {
            exchange,
            message_id,
            role,
            state: word,
            length,
        });
    }

    /// Tells the peer of an established SA that its quick mode is refused.
    pub(crate) fn send_notify(
        &mut self,
        id: SaId,
        protocol: ProtocolId,
        notify: NotifyType,
        spi: Vec<u8>,
    ) {
        let Some(sa) = self.sas.get(&id) else { return };
        let path = sa.common.path();
        let payload = Notification::new(protocol, notify, spi.clone(), []);
        self.send_informational(id, vec![Payload::Notification(payload)]);
        self.ctx.debug(path, || Event::NotifySent {
            notify,
            protocol,
            spi,
            message_id: 0,
        });
    }

    /// Tells a peer with whom nothing is agreed why nothing will be.
    pub(crate) fn notify_in_clear(&mut self, path: Path, cookies: Cookies, notify: NotifyType) {
        let message_id = u32::from_be_bytes(self.ctx.random_bytes()).max(1);
        let payload = Notification::new(ProtocolId::ISAKMP, notify, [], []);
        let payloads = [Payload::Notification(payload)];
        let exchange = ExchangeType::INFORMATIONAL;
        if let Ok(bytes) = clear(cookies, exchange, message_id, &payloads) {
            self.ctx.transmit(path, bytes);
            let protocol = ProtocolId::ISAKMP;
            let spi = Vec::new();
            self.ctx.debug(path, || Event::NotifySent {
                notify,
                protocol,
                spi,
                message_id,
            });
        }
    }

    /// The same for an SA that the endpoint holds.
    pub(crate) fn notify_of_failure(&mut self, id: SaId, notify: NotifyType) {
        let Some(sa) = self.sas.get(&id) else { return };
        self.notify_in_clear(sa.common.path(), sa.common.cookies, notify);
    }

    /// Tells the peer that an ISAKMP SA is gone, through that SA.
    pub(crate) fn send_ike_delete(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id).filter(|sa| sa.live().is_some()) else {
            return;
        };
        let (cookies, path) = (sa.common.cookies, sa.common.path());
        self.send_informational(id, vec![Payload::Delete(Delete::isakmp(cookies))]);
        self.ctx.debug(path, || Event::DeleteSent {
            protocol: ProtocolId::ISAKMP,
            spis: vec![cookies.bytes().to_vec()],
        });
    }

    /// Tells the peer that a child is gone, if an ISAKMP SA with it is alive.
    pub(crate) fn send_child_delete(&mut self, id: ChildId) {
        let Some(child) = self.children.get(id) else {
            return;
        };
        let (local, remote) = (child.sa.local, child.sa.remote);
        let deletes: Vec<_> = child
            .sa
            .protocols
            .iter()
            .map(|sa| (protocol_number(sa.protocol), sa.inbound_spi))
            .collect();
        match self.usable_sa(local, remote) {
            Some(ike) => self.send_deletes(ike, deletes),
            None => self.keep_untold(local, remote, deletes),
        }
    }

    /// Keeps deletes until there is an ISAKMP SA to send them under; of too many, the oldest go.
    fn keep_untold(&mut self, local: IpAddr, peer: IpAddr, deletes: Vec<(ProtocolId, u32)>) {
        let untold = self.untold.entry((local, peer)).or_default();
        untold.extend(deletes);
        let excess = untold.len().saturating_sub(MAX_UNTOLD);
        untold.drain(..excess);
    }

    /// Tells the peer of a new ISAKMP SA what went while there was none.
    pub(crate) fn tell_untold(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id).filter(|sa| sa.live().is_some()) else {
            return;
        };
        let ends = (sa.common.local.ip(), sa.common.peer());
        if let Some(deletes) = self.untold.remove(&ends) {
            self.send_deletes(id, deletes);
        }
    }

    /// Tells the peer that these inbound SAs of ours are gone.
    pub(crate) fn send_deletes(&mut self, ike: SaId, deletes: Vec<(ProtocolId, u32)>) {
        let Some(path) = self.sas.get(&ike).map(|sa| sa.common.path()) else {
            return;
        };
        for (protocol, spi) in deletes {
            let delete = Delete::children(protocol, &[spi]);
            self.send_informational(ike, vec![Payload::Delete(delete)]);
            let spis = vec![spi.to_be_bytes().to_vec()];
            self.ctx
                .debug(path, || Event::DeleteSent { protocol, spis });
        }
    }
}

/// Takes an authentic message, unless it is a replay. Dead peer detection by itself is known by its numbers, everything else
/// by its message id.
fn take(live: &mut Live, message_id: u32, payloads: &Protected) -> bool {
    let is_dpd = |payload: &Payload| {
        matches!(payload, Payload::Notification(notification)
            if matches!(notification.kind, NotifyType::R_U_THERE | NotifyType::R_U_THERE_ACK))
    };
    // The first payload is the hash.
    if payloads.len() > 1 && payloads.iter().skip(1).all(is_dpd) {
        let mut notifications = payloads.notifications();
        return match (notifications.next(), notifications.next()) {
            (Some(only), None) => live.dpd.take(only, message_id),
            _ => false,
        };
    }
    live.ids.note(message_id);
    true
}

/// What an error in clear may end.
enum Refusable {
    /// Our policies are out
    Policies(Vec<crate::config::IsakmpPolicy>),
    /// Our proof is out
    Proof(IpAddr),
}

fn sa_state(endpoint: &Endpoint, id: SaId) -> Option<Refusable> {
    let sa = endpoint.sas.get(&id)?;
    match &sa.state {
        State::AwaitsChoice(state) => Some(Refusable::Policies(state.offered.clone())),
        State::AwaitsProof(_) => Some(Refusable::Proof(sa.common.peer())),
        _ => None,
    }
}
