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
        let router = self.router.clone();
        let done = match command {
            ClearCommand::CryptoSa(ClearSa::Counters) => return self.clear_counters().await,
            ClearCommand::Counters(only) => return self.clear_interface_counters(only).await,
            ClearCommand::Logging => return self.clear_logging().await,
            ClearCommand::Line(line) => return self.clear_line(operators::named(line)).await,
            ClearCommand::ArchiveLog { force } => return self.clear_config_log(force).await,
            ClearCommand::ConfigurationLock => {
                router.borrow_mut().change_control.lock = None;
                return Ok(Status::Ok);
            }
            ClearCommand::CryptoCallAdmission => {
                router.borrow_mut().tunnels.engine.clear_admission();
                return Ok(Status::Ok);
            }
            ClearCommand::CryptoIsakmp(None) => router.borrow_mut().clear(Clear::IkeSas),
            ClearCommand::CryptoIsakmp(Some(id)) => router.borrow_mut().clear_isakmp(id),
            ClearCommand::CryptoSa(which) => router.borrow_mut().clear_sa(which),
            ClearCommand::CryptoSession { remote, local } => {
                router.borrow_mut().clear(match (remote, local) {
                    (Some(remote), _) => Clear::SessionsWithRemote(remote),
                    (None, Some(local)) => Clear::SessionsWithLocal(local),
                    (None, None) => Clear::Sessions,
                })
            }
        };
        done?;
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

impl Router {
    /// Ends SAs on the operator's behalf.
    fn clear(&mut self, what: Clear) -> Result<(), &'static str> {
        let now = self.now();
        self.tunnels.engine.clear(now, what);
        self.pump();
        Ok(())
    }

    fn clear_isakmp(&mut self, id: u32) -> Result<(), &'static str> {
        let now = self.now();
        if self
            .tunnels
            .engine
            .ike_sas(now)
            .iter()
            .any(|sa| sa.conn_id == id && !sa.deleted)
        {
            self.clear(Clear::IkeSa(id))
        } else {
            Err("% There is no ISAKMP SA with this connection id.\n")
        }
    }

    fn clear_sa(&mut self, which: ClearSa) -> Result<(), &'static str> {
        let protocol = |p| match p {
            IpsecProtocol::Ah => ike::algorithm::IpsecProtocol::Ah,
            IpsecProtocol::Esp => ike::algorithm::IpsecProtocol::Esp,
        };
        match which {
            ClearSa::All => self.clear(Clear::Children),
            ClearSa::Peer(peer) => self.clear(Clear::ChildrenOfPeer(peer)),
            ClearSa::Map(map) => self.clear(Clear::ChildrenOfMap(map)),
            ClearSa::Counters => Ok(()),
            ClearSa::Entry {
                destination,
                protocol: p,
                spi,
            } => self.clear(Clear::ChildWithSpi {
                destination,
                protocol: protocol(p),
                spi,
            }),
            ClearSa::Spi(spi) => self.clear_spi(spi),
        }
    }

    fn clear_spi(&mut self, spi: u32) -> Result<(), &'static str> {
        let now = self.now();
        let found = self
            .tunnels
            .engine
            .children(now)
            .into_iter()
            .find_map(|child| {
                child.sa.protocols.iter().find_map(|sa| {
                    let destination = if sa.inbound_spi == spi {
                        child.sa.local
                    } else if sa.outbound_spi == spi {
                        child.sa.remote
                    } else {
                        return None;
                    };
                    Some((destination, sa.protocol))
                })
            });
        let (destination, protocol) = found.ok_or("% There is no IPsec SA with this SPI.\n")?;
        self.clear(Clear::ChildWithSpi {
            destination,
            protocol,
            spi,
        })
    }
}
