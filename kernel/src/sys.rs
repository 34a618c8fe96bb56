//! The one place with `unsafe`: socket options and the state of the clock, which no library offers. Used by `udp.rs`,
//! `linux/` and the daemon's clock.

use std::io;
use std::os::fd::RawFd;

use nix::libc;
use socket2::Socket;
use tokio::io::unix::AsyncFd;

/// Sets a socket option to plain bytes.
pub(crate) fn set_option(fd: RawFd, level: i32, name: i32, value: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads `value.len()` bytes from `value`, which are initialised, and keeps no pointer; a
    // descriptor that is not open is answered with EBADF.
    let result = unsafe {
        libc::setsockopt(
            fd,
            level,
            name,
            value.as_ptr().cast(),
            value.len() as libc::socklen_t,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Sets an integer socket option.
pub(crate) fn set_int(fd: RawFd, level: i32, name: i32, value: i32) -> io::Result<()> {
    set_option(fd, level, name, &value.to_ne_bytes())
}

/// Asks for a receive buffer beyond the system's limit, which needs CAP_NET_ADMIN, or else up to the limit.
pub(crate) fn grow_receive_buffer(fd: RawFd, bytes: i32) {
    if set_int(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes).is_err() {
        // a smaller buffer still works; losses are noticed where they happen
        let _ = set_int(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, bytes);
    }
}

/// True while a time daemon keeps the machine's clock right; `None` when the kernel does not tell (a container may forbid
/// the question).
#[must_use]
pub fn clock_synchronised() -> Option<bool> {
    // SAFETY: timex holds only numbers and padding; all zeroes are values of it, and a mode of 0 asks without setting.
    let mut state: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a timex that lives through the call.
    let answer = unsafe { libc::adjtimex(&mut state) };
    (answer != -1).then_some(state.status & libc::STA_UNSYNC == 0)
}

/// Lets tokio watch a socket.
pub(crate) fn watch(socket: Socket) -> io::Result<AsyncFd<Socket>> {
    // SAFETY: a `Socket` owns its descriptor, gives the same one always, and closes it only when dropped, which is
    // after the `AsyncFd` that owns it has taken it out of the reactor; no method lets a caller replace it.
    Ok(unsafe { AsyncFd::register(socket) }?)
}
