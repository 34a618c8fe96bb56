//! `clear ...`: SAs and sessions, counters, the log buffer, lines, the lock of the configuration and the log of its
//! commands. Called by `exec`.

use ike::Clear;
use isthmus_control::Status;
use isthmus_grammar::InterfaceName;
use isthmus_grammar::command::{ClearCommand, ClearSa, IpsecProtocol};

use super::{Outcome, Session};
use crate::config::model::LineId;
use crate::log::Severity;
use crate::operators;
use crate::router::reconcile;
use crate::router::{Router, settled};

impl Session {
    pub(super) async fn clear(&mut self, command: ClearCommand) -> Outcome {
        let what = match command {
            ClearCommand::CryptoSa(ClearSa::Counters) => return self.clear_counters().await,
            ClearCommand::Counters(only) => return self.clear_interface_counters(only).await,
            ClearCommand::Logging => return self.clear_logging().await,
            ClearCommand::Line(line) => return self.clear_line(operators::named(line)).await,
            ClearCommand::ArchiveLog { force } => return self.clear_config_log(force).await,
            ClearCommand::ConfigurationLock => {
                self.router.borrow_mut().change_control.lock = None;
                return Ok(Status::Ok);
            }
            ClearCommand::CryptoCallAdmission => {
                let tunnels = &mut self.router.borrow_mut().tunnels;
                tunnels.engine.clear_admission();
                return Ok(Status::Ok);
            }
            ClearCommand::CryptoIsakmp(None) => Clear::IkeSas,
            ClearCommand::CryptoIsakmp(Some(id)) => ike_sa(&self.router.borrow(), id)?,
            ClearCommand::CryptoSa(ClearSa::All) => Clear::Children,
            ClearCommand::CryptoSa(ClearSa::Peer(peer)) => Clear::ChildrenOfPeer(peer),
            ClearCommand::CryptoSa(ClearSa::Map(map)) => Clear::ChildrenOfMap(map),
            ClearCommand::CryptoSa(ClearSa::Entry {
                destination,
                protocol,
                spi,
            }) => Clear::ChildWithSpi {
                destination,
                protocol: match protocol {
                    IpsecProtocol::Ah => ike::algorithm::IpsecProtocol::Ah,
                    IpsecProtocol::Esp => ike::algorithm::IpsecProtocol::Esp,
                },
                spi,
            },
            ClearCommand::CryptoSa(ClearSa::Spi(spi)) => ipsec_sa(&self.router.borrow(), spi)?,
            ClearCommand::CryptoSession { remote, local } => match (remote, local) {
                (Some(remote), _) => Clear::SessionsWithRemote(remote),
                (None, Some(local)) => Clear::SessionsWithLocal(local),
                (None, None) => Clear::Sessions,
            },
        };
        {
            let mut router = self.router.borrow_mut();
            let now = router.now();
            router.tunnels.engine.clear(now, what);
            router.pump();
        }
        settled(&self.router).await;
        Ok(Status::Ok)
    }

    async fn clear_interface_counters(&mut self, only: Option<InterfaceName>) -> Outcome {
        let (which, what) = match &only {
            Some(name) => ("this interface", format!("interface {name}")),
            None => ("all interfaces", "all interfaces".to_owned()),
        };
        let question = format!("Clear \"show interface\" counters on {which} ");
        if !self.confirm(&question).await? {
            return Ok(Status::Failed);
        }
        reconcile::refresh(&self.router).await?;
        let mut router = self.router.borrow_mut();
        let now = router.clock.now();
        router.interfaces.clear_counters(only.as_ref(), now);
        let text = format!("Clear counter on {what} by {}", self.user.by());
        let severity = Severity::Notifications;
        router.log.system("CLEAR", severity, "COUNTERS", text);
        Ok(Status::Ok)
    }

    async fn clear_logging(&mut self) -> Outcome {
        if !self.confirm("Clear logging buffer ").await? {
            return Ok(Status::Failed);
        }
        self.router.borrow_mut().log.clear();
        Ok(Status::Ok)
    }

    async fn clear_config_log(&mut self, force: bool) -> Outcome {
        if !force && !self.confirm("Clear configuration log ").await? {
            return Ok(Status::Failed);
        }
        self.router.borrow_mut().change_control.config_log.clear();
        Ok(Status::Ok)
    }

    /// `clear line`: ends the session on the line, also if it is this one.
    async fn clear_line(&mut self, line: LineId) -> Outcome {
        let known = {
            let router = self.router.borrow();
            let busy = router.sessions.iter().any(|(_, entry)| entry.line == line);
            busy || router.running.lines.contains_key(&line)
        };
        if !known {
            return self.fail("% Not an allowed line\n").await;
        }
        if !self.confirm("").await? {
            return Ok(Status::Failed);
        }
        self.io.output(" [OK]\n").await?;
        self.router.borrow().sessions.clear(line);
        Ok(Status::Ok)
    }

    /// The kernel's counters only go up; what they say now counts as zero from here on.
    async fn clear_counters(&mut self) -> Outcome {
        let kernel = self.router.borrow().kernel.clone();
        let sas = kernel.dump_sas().await?;
        let cleared = sas.into_iter().map(|sa| (sa.id, sa.stats)).collect();
        let mut router = self.router.borrow_mut();
        router.tunnels.cleared = cleared;
        router.tunnels.carried.clear();
        Ok(Status::Ok)
    }
}

/// The ISAKMP SA with a connection id.
fn ike_sa(router: &Router, id: u32) -> Result<Clear, &'static str> {
    let sas = router.tunnels.engine.ike_sas(router.now());
    match sas.iter().any(|sa| sa.conn_id == id && !sa.deleted) {
        true => Ok(Clear::IkeSa(id)),
        false => Err("% There is no ISAKMP SA with this connection id.\n"),
    }
}

/// The child with an SPI, in either direction.
fn ipsec_sa(router: &Router, spi: u32) -> Result<Clear, &'static str> {
    let children = router.tunnels.engine.children(router.now());
    let found = children.iter().find_map(|child| {
        child.sa.protocols.iter().find_map(|sa| {
            let destination = match spi {
                _ if sa.inbound_spi == spi => child.sa.local,
                _ if sa.outbound_spi == spi => child.sa.remote,
                _ => return None,
            };
            Some((destination, sa.protocol))
        })
    });
    let (destination, protocol) = found.ok_or("% There is no IPsec SA with this SPI.\n")?;
    Ok(Clear::ChildWithSpi {
        destination,
        protocol,
        spi,
    })
}
