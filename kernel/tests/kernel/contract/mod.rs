//! The contract of [`Kernel`], kept by the real kernel and by the fake alike: each check runs against both.

mod links;
mod sockets;
mod xfrm;

use isthmus_kernel::{ErrorKind, Events, Fake, Kernel, Request};

use crate::world::{Host, Wire, in_namespace, ip, net};

/// A kernel of either sort, and how the operator or the traffic reaches into it.
struct Subject {
    kernel: Kernel,
    events: Events,
    outside: Outside,
    wires: Vec<Wire>,
}

enum Outside {
    Real(Box<Host>),
    Fake(Fake),
}

impl Subject {
    async fn real() -> Self {
        let host = Host::here().await;
        let (kernel, events) = Kernel::linux().await.unwrap();
        Self {
            kernel,
            events,
            outside: Outside::Real(host.into()),
            wires: Vec::new(),
        }
    }

    fn fake() -> Self {
        let (kernel, events, fake) = Kernel::fake();
        Self {
            kernel,
            events,
            outside: Outside::Fake(fake),
            wires: Vec::new(),
        }
    }

    async fn submit(&self, request: Request) -> Result<(), ErrorKind> {
        let mut results = self.kernel.submit(vec![request]).await;
        assert_eq!(results.len(), 1);
        results.remove(0).map_err(|e| e.kind)
    }

    async fn index(&self, name: &str) -> u32 {
        let links = self.kernel.links().await.unwrap();
        links.iter().find(|l| l.name == name).unwrap().index
    }

    /// An interface of the operator's, up, with an address of ours.
    async fn interface(&mut self, name: &str, address: &str) -> u32 {
        match &self.outside {
            Outside::Real(host) => {
                let wire = host.wire(name, address).await;
                self.wires.push(wire);
            }
            Outside::Fake(fake) => {
                fake.add_link(name);
                let (interface, address) = (name.into(), net(address));
                self.submit(Request::SetAddress { interface, address })
                    .await
                    .unwrap();
            }
        }
        self.index(name).await
    }

    /// An address that the operator gave.
    async fn foreign_address(&self, name: &str, address: &str) {
        match &self.outside {
            Outside::Real(host) => drop(host.ip(&format!("addr add {address} dev {name}"))),
            Outside::Fake(fake) => fake.add_foreign_address(self.index(name).await, net(address)),
        }
    }

    /// A UDP packet of this host's own.
    async fn traffic(&self, interface: u32, source: &str, destination: &str) {
        match &self.outside {
            Outside::Real(host) => {
                host.enter();
                let socket = std::net::UdpSocket::bind((ip(source), 0)).unwrap();
                // with no SA yet this may fail, as it may succeed
                let _ = socket.send_to(b"x", (ip(destination), 9));
            }
            Outside::Fake(fake) => {
                fake.send_packet(interface, ip(source), ip(destination), 17);
            }
        }
    }
}

/// Makes one test for the fake and one for the real kernel out of a check.
macro_rules! contract {
    ($($file:ident: $($name:ident),*;)*) => {
        mod fake {
            $($(#[tokio::test]
            async fn $name() {
                super::$file::$name(super::Subject::fake()).await;
            })*)*
        }
        mod real {
            $($(#[test]
            fn $name() {
                super::in_namespace(|| async { super::$file::$name(super::Subject::real().await).await });
            })*)*
        }
    };
}

contract! {
    links: links, loopback_interfaces, addresses, routes;
    xfrm: policies, crypto_map_line, the_operators_own_is_left_alone, wrong_requests_are_named_and_the_rest_is_done, acquires, what_others_do_to_policies_is_told, security_associations;
    sockets: ike_socket, probes;
}
