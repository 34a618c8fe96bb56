//! Two routers and the tunnel between them.

use isthmus_kernel::{Request, SaSpec, Template};

use super::Router;
use super::suites::{Suite, layers};
use crate::world::{between, open_ipv4, udp};

/// Two routers with a tunnel between 10.1.0.0/16 and 10.2.0.0/16 through which packets from the first go to the second.
pub struct Pair {
    pub a: Router,
    pub b: Router,
    pub sas: Vec<SaSpec>,
}

impl Pair {
    pub async fn new() -> Option<Self> {
        let a = Router::new(1).await;
        if !a.host.has_ipsec("packets through SAs").await {
            return None;
        }
        let b = Router::new(2).await;
        Some(Self {
            a,
            b,
            sas: Vec::new(),
        })
    }

    /// Puts up the policies and the SAs from the first to the second router.
    pub async fn up(&mut self, suite: &Suite, spi: u32, change: fn(&mut SaSpec)) {
        let (out, templates) = layers(suite, "192.0.2.1", "192.0.2.2", spi, false, change);
        let (inbound, _) = layers(suite, "192.0.2.1", "192.0.2.2", spi, true, change);
        let swapped: Vec<Template> = templates
            .iter()
            .map(|t| Template {
                source: t.destination,
                destination: t.source,
                ..*t
            })
            .collect();
        self.a
            .protect(between("10.1.0.0/16", "10.2.0.0/16"), 0, &templates)
            .await;
        self.b
            .protect(between("10.2.0.0/16", "10.1.0.0/16"), 0, &swapped)
            .await;
        self.a
            .host
            .ok(out.iter().cloned().map(Request::AddSa).collect())
            .await;
        self.b
            .host
            .ok(inbound.into_iter().map(Request::AddSa).collect())
            .await;
        self.sas = out;
    }

    pub async fn down(&mut self) {
        let delete: Vec<Request> = self
            .sas
            .drain(..)
            .map(|sa| Request::DeleteSa(sa.id()))
            .collect();
        self.a.host.ok(delete.clone()).await;
        self.b.host.ok(delete).await;
    }

    /// A packet through the tunnel: what the wire between saw.
    pub async fn cross(&self, payload: &[u8]) -> Vec<u8> {
        let packet = udp("10.1.0.9", "10.2.0.9", payload);
        self.a.lan.inject(&packet);
        let between = self.a.wan.next().await;
        self.b.wan.inject(&between);
        let out = self.b.lan.next().await;
        assert_eq!(open_ipv4(&out).3, open_ipv4(&packet).3);
        assert_eq!(
            (open_ipv4(&out).1, open_ipv4(&out).2),
            ("10.1.0.9".into(), "10.2.0.9".into())
        );
        between
    }
}

impl Pair {
    /// What the first router puts on the wire.
    pub async fn a_packet(&self, payload: &[u8]) -> Vec<u8> {
        self.a.lan.inject(&udp("10.1.0.9", "10.2.0.9", payload));
        self.a.wan.next().await
    }
}
