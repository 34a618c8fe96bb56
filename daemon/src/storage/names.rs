//! The addresses of hosts: an address stands for itself, a name is for the machine's resolver unless `no ip domain lookup`
//! is configured. Digits and dots are never a name: resolvers read `10.0.300` as an address that was not meant. Called by
//! sessions, archives and the tasks of syslog servers.

use std::io;
use std::net::IpAddr;

/// All addresses of a host; `lookup`: names are looked up (`ip domain lookup`). The resolver is asked on a thread of its own.
///
/// # Errors
/// The name is unknown, or names are not to be looked up.
pub async fn addresses(host: &str, lookup: bool) -> io::Result<Vec<IpAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    if host
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        let text = "it is neither an address nor a name";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    if !lookup {
        let text = "names are not looked up: no ip domain lookup";
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    let found = tokio::net::lookup_host((host, 0)).await?;
    Ok(found.map(|address| address.ip()).collect())
}

/// The host as an operator means it: the address that was typed, or the first IPv4 address of the name.
pub async fn resolve(host: &str, lookup: bool) -> Option<IpAddr> {
    if let Ok(address) = host.parse() {
        return Some(address);
    }
    let found = addresses(host, lookup).await.ok()?;
    found.into_iter().find(IpAddr::is_ipv4)
}
