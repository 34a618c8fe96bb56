//! Tells the service manager that the router is ready or stops (sd_notify). Called by `main`.

use std::os::unix::net::UnixDatagram;

/// Sends a state like `READY=1` to the socket in `NOTIFY_SOCKET`; nothing happens without one.
pub fn notify(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let Ok(socket) = UnixDatagram::unbound() else {
        return;
    };
    // Where nothing listens there is nothing to tell.
    let _ = match path.as_encoded_bytes().strip_prefix(b"@") {
        None => socket.send_to(state.as_bytes(), &path),
        Some(name) => send_abstract(&socket, state, name),
    };
}

fn send_abstract(socket: &UnixDatagram, state: &str, name: &[u8]) -> std::io::Result<usize> {
    use std::os::linux::net::SocketAddrExt;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
    socket.send_to_addr(state.as_bytes(), &address)
}
