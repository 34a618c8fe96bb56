//! The way of a datagram into the engine: by its header first. Only what can belong to an SA, or begin one with a peer that the
//! configuration names, is decoded at all. Called by `Endpoint::datagram`.

use super::Endpoint;
use crate::cause::Cause;
use crate::event::{Bound, DropReason, Event};
use crate::flight::digest;
use crate::id::Path;
use crate::id::SaId;
use crate::registry::ExchangeType;
use crate::sa::{IkeSa, State};
use crate::status::Role;
use crate::talk::Standing;
use crate::task::Task;
use crate::wire::v1::{Body, Message};
use crate::wire::{Cookies, Flags, Header, Malformed};

impl Endpoint {
    /// Reads the header and finds out whose datagram it is.
    pub(super) fn enter(&mut self, path: Path, bytes: &[u8]) {
        let header = Header::decode(bytes);
        let found = match &header {
            Ok(header) if !is_first(header) => self.find(path, header.cookies),
            _ => None,
        };
        let standing = match found {
            Some(id) if !self.is_unanswered(id) => Standing::Known,
            _ if self.names(path) => Standing::Named,
            _ => Standing::Stranger,
        };
        self.ctx.hear(path, standing);
        match (header, found) {
            (Err(error), _) => self.turn_away(path, DropReason::Malformed, || error.to_string()),
            (Ok(header), _) if header.version.major != 1 => {
                self.turn_away(path, DropReason::Version, || {
                    format!("major version {}", header.version.major)
                });
            }
            (Ok(header), Some(id)) => self.message(id, &header, bytes),
            (Ok(header), None) => self.stranger(path, &header, bytes),
        }
        self.ctx.talk.over();
    }

    /// A negotiation whose other end has not shown that it gets what we send.
    fn is_unanswered(&self, id: SaId) -> bool {
        self.sas.get(&id).is_some_and(IkeSa::is_unanswered)
    }

    /// Drops a datagram that was not decoded.
    fn turn_away(&mut self, path: Path, reason: DropReason, detail: impl FnOnce() -> String) {
        self.gate.tallies.dropped_at_dispatch += 1;
        self.ctx.drop_datagram_with(path, reason, detail);
    }

    /// A message for an SA.
    fn message(&mut self, id: SaId, header: &Header, bytes: &[u8]) {
        let Some(sa) = self.sas.get(&id) else { return };
        let State::V1(version) = &sa.state else {
            return;
        };
        let path = sa.common.path();
        let (role, state) = (Some(sa.common.role), Some(sa.word()));
        let digest = digest(bytes);
        let main_mode = header.exchange == ExchangeType::IDENTITY_PROTECTION;
        let no_use = version.no_use(header, digest);
        let is_repeat = main_mode && version.is_repeat(digest);
        let brings_value = main_mode && version.awaits_value();
        self.ctx.debug(path, || received(header, role, state));
        if let Some((reason, detail)) = no_use {
            return self.turn_away(path, reason, || detail.into());
        }
        if is_repeat {
            return self.give(id, Task::RepeatedV1);
        }
        if brings_value && !self.admits_incoming(path, false) {
            return self.not_admitted(path);
        }
        if brings_value && !self.makes_room_for_keys(path, true) {
            let detail = "many negotiations of the peer wait for its proof";
            return self.turn_away(path, DropReason::HalfOpenLimit, || detail.into());
        }
        match Message::decode(bytes) {
            Ok(message) => self.give(id, Task::MessageV1(&message, digest)),
            Err(error) => self.malformed(path, &error),
        }
    }

    fn malformed(&mut self, path: Path, error: &Malformed) {
        self.ctx
            .drop_datagram_with(path, DropReason::Malformed, || error.to_string());
    }

    /// The SA with these cookies, between these addresses.
    fn find(&self, path: Path, cookies: Cookies) -> Option<SaId> {
        let ours = [cookies.responder, cookies.initiator];
        ours.into_iter()
            .filter_map(|cookie| self.by_cookie.get(&cookie))
            .copied()
            .find(|id| {
                self.sas.get(id).is_some_and(|sa| {
                    let known = sa.common.cookies;
                    let answered = !known.responder.is_zero() || sa.is_unheard_attempt();
                    known.initiator == cookies.initiator
                        && (known.responder == cookies.responder || known.responder.is_zero())
                        && answered
                        && sa.common.address() == path.remote.ip()
                })
            })
    }

    /// A message for no SA that we have.
    fn stranger(&mut self, path: Path, header: &Header, bytes: &[u8]) {
        let cookies = header.cookies;
        if is_first(header) {
            self.ctx.debug(path, || received(header, None, None));
            return self.first_message(path, header, bytes);
        }
        if header.exchange == ExchangeType::IDENTITY_PROTECTION
            && header.message_id == 0
            && !header.flags.contains(Flags::ENCRYPTION)
            && self.names(path)
            && self.third_message(path, header, bytes)
        {
            return;
        }
        self.turn_away(path, DropReason::NoSa, || {
            let Cookies {
                initiator,
                responder,
            } = cookies;
            format!("no SA with cookies {initiator} {responder}")
        });
    }

    /// Whether any entry names the peer.
    fn names(&self, path: Path) -> bool {
        self.ctx.config.names(path.remote.ip())
    }

    /// Main mode message 1: a new negotiation, or a repeat.
    fn first_message(&mut self, path: Path, header: &Header, bytes: &[u8]) {
        let peer = path.remote.ip();
        let initiator = header.cookies.initiator;
        let wrong = if self.by_cookie.contains_key(&initiator) {
            Some("our own main mode 1 came back")
        } else if header.flags.contains(Flags::ENCRYPTION) {
            Some("main mode 1 is encrypted")
        } else if header.message_id != 0 {
            Some("main mode 1 with a message id")
        } else {
            None
        };
        if let Some(detail) = wrong {
            return self.turn_away(path, DropReason::Unexpected, || detail.into());
        }
        if let Some(id) = self.by_offer.get(&(peer, initiator)).copied() {
            let digest = digest(bytes);
            let known = self.sas.get(&id).map(|sa| &sa.state);
            if matches!(known, Some(State::V1(sa)) if sa.is_repeat(digest)) {
                return self.give(id, Task::RepeatedV1);
            }
            let detail = "main mode 1 of a negotiation that has gone on";
            return self.turn_away(path, DropReason::Repeat, || detail.into());
        }
        if !self.names(path) {
            return self.turn_away(path, DropReason::UnknownPeer, || {
                Cause::UnknownPeer { peer }.to_string()
            });
        }
        let crowded = self.is_crowded(peer);
        if !crowded && !self.admits_incoming(path, true) {
            return self.not_admitted(path);
        }
        let message = match Message::decode(bytes) {
            Ok(message) => message,
            Err(error) => return self.malformed(path, &error),
        };
        let Body::Clear(payloads) = &message.body else {
            return;
        };
        if crowded {
            self.ctx.bound_reached(path, Bound::HalfOpen);
            return self.answer_without_state(path, initiator, payloads);
        }
        let cookies = Cookies {
            initiator,
            responder: self.fresh_cookie(),
        };
        let common = self.new_common(Role::Responder, path, None, cookies);
        self.main_mode_offer(common, payloads, digest(bytes));
    }

    fn not_admitted(&mut self, path: Path) {
        self.turn_away(path, DropReason::Admission, || {
            "crypto call admission limit ike sa".into()
        });
    }

    /// Main mode message 3 of a negotiation that was not kept; false when the cookie is none that we made.
    fn third_message(&mut self, path: Path, header: &Header, bytes: &[u8]) -> bool {
        let cookies = header.cookies;
        let now = self.ctx.now;
        let Some(recalled) = self.gate.stateless.recall(now, path, cookies) else {
            return false;
        };
        self.ctx.debug(path, || received(header, None, None));
        let offer = (path.remote.ip(), cookies.initiator);
        if self.by_offer.contains_key(&offer) || self.by_cookie.contains_key(&cookies.responder) {
            let detail = "main mode 3 of a negotiation that has gone on";
            self.turn_away(path, DropReason::Repeat, || detail.into());
            return true;
        }
        if !self.admits_incoming(path, true) {
            self.not_admitted(path);
            return true;
        }
        let message = match Message::decode(bytes) {
            Ok(message) => message,
            Err(error) => {
                self.malformed(path, &error);
                return true;
            }
        };
        if !self.makes_room_for_keys(path, false) {
            let detail = "many negotiations wait for a proof";
            self.turn_away(path, DropReason::HalfOpenLimit, || detail.into());
            return true;
        }
        if !self.recalled(path, cookies, &recalled, (message, digest(bytes))) {
            let detail = "the proposals of main mode 1 are no longer acceptable";
            self.turn_away(path, DropReason::Refused, || detail.into());
        }
        true
    }
}

/// Message 1 of main mode: the responder has no cookie yet.
fn is_first(header: &Header) -> bool {
    header.exchange == ExchangeType::IDENTITY_PROTECTION && header.cookies.responder.is_zero()
}

fn received(header: &Header, role: Option<Role>, state: Option<crate::status::StateWord>) -> Event {
    Event::PacketReceived {
        exchange: header.exchange,
        message_id: header.message_id,
        role,
        state,
        length: header.length as usize,
    }
}
