//! Why the kernel did not do what was asked: what was asked, what it said, what to do. Never holds a secret.

use std::io;

/// What went wrong, for deciding; the text is in [`KernelError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A capability is missing (EPERM, EACCES).
    Permission,
    /// There is one already (EEXIST, EADDRINUSE).
    Exists,
    /// There is no such thing (ENOENT, ESRCH, ENODEV, EADDRNOTAVAIL).
    NotFound,
    /// It exists but was not made by us, so it is left alone.
    NotOurs,
    /// The kernel has no support: a module or algorithm is missing (EPROTONOSUPPORT, ENOSYS, EOPNOTSUPP, EAFNOSUPPORT).
    Unsupported,
    /// The request makes no sense (EINVAL), or was refused before it reached the kernel.
    Invalid,
    /// Out of memory or buffers (ENOMEM, ENOBUFS).
    Exhausted,
    /// No way to the destination (ENETUNREACH, EHOSTUNREACH, ENETDOWN).
    Unreachable,
    /// The netlink connection is gone.
    Closed,
    /// Anything else.
    Other,
}

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {request}: {hint}")]
pub struct KernelError {
    /// For deciding.
    pub kind: ErrorKind,
    /// What was asked, like "add SA esp SPI 0x00001234 to 192.0.2.1".
    pub request: String,
    /// The kernel's error number, if it was the kernel.
    pub errno: Option<i32>,
    /// What it means and what to do.
    pub hint: String,
}

impl KernelError {
    /// Refused by us.
    pub(crate) fn invalid(request: impl ToString, why: impl ToString) -> Self {
        Self {
            kind: ErrorKind::Invalid,
            request: request.to_string(),
            errno: None,
            hint: why.to_string(),
        }
    }

    /// Of a kind, without an error number.
    pub(crate) fn of(kind: ErrorKind, request: impl ToString, hint: impl ToString) -> Self {
        Self {
            kind,
            request: request.to_string(),
            errno: None,
            hint: hint.to_string(),
        }
    }

    /// Refused by the kernel with `errno` (positive); `detail` is the kernel's own words if it gave any.
    pub(crate) fn errno(request: impl ToString, errno: i32, detail: Option<&str>) -> Self {
        let kind = kind_of(errno);
        let request = request.to_string();
        let mut hint = hint_for(kind, &request, errno);
        if let Some(detail) = detail.filter(|d| !d.is_empty()) {
            hint.push_str(&format!(" (kernel: {detail})"));
        }
        Self {
            kind,
            request,
            errno: Some(errno),
            hint,
        }
    }

    /// From an I/O error.
    pub(crate) fn io(request: impl ToString, error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(errno) => Self::errno(request, errno, None),
            None => Self::of(ErrorKind::Other, request, error),
        }
    }
}

fn kind_of(errno: i32) -> ErrorKind {
    use nix::errno::Errno::*;
    match nix::errno::Errno::from_raw(errno) {
        EPERM | EACCES => ErrorKind::Permission,
        EEXIST | EADDRINUSE => ErrorKind::Exists,
        ENOENT | ESRCH | ENODEV | EADDRNOTAVAIL | ENXIO => ErrorKind::NotFound,
        EPROTONOSUPPORT | ENOSYS | EOPNOTSUPP | EAFNOSUPPORT | ENOPROTOOPT => {
            ErrorKind::Unsupported
        }
        EINVAL | ERANGE | EMSGSIZE => ErrorKind::Invalid,
        ENOMEM | ENOBUFS => ErrorKind::Exhausted,
        ENETUNREACH | EHOSTUNREACH | ENETDOWN => ErrorKind::Unreachable,
        _ => ErrorKind::Other,
    }
}

fn hint_for(kind: ErrorKind, request: &str, errno: i32) -> String {
    let text = nix::errno::Errno::from_raw(errno).desc();
    match kind {
        ErrorKind::Permission if request.contains("ICMP") => {
            "isthmusd needs CAP_NET_RAW; run it as root or give it the capability".into()
        }
        ErrorKind::Permission if request.contains("port") => {
            "isthmusd needs CAP_NET_BIND_SERVICE and CAP_NET_ADMIN; run it as root or give it the capabilities".into()
        }
        ErrorKind::Permission => "isthmusd needs CAP_NET_ADMIN; run it as root or give it the capability".into(),
        ErrorKind::Unsupported if request.contains("SA") => {
            format!("the kernel has no support for this protocol or algorithm ({text}); load esp4, ah4 or the cipher's module")
        }
        ErrorKind::Unsupported => format!("the kernel has no support for it ({text}); load the module"),
        ErrorKind::NotFound if request.starts_with("add SA") => {
            format!("the kernel does not have the algorithm ({text}); load the cipher's module")
        }
        ErrorKind::Exists if request.contains("UDP port") => "another IKE daemon or process uses it; stop that first".into(),
        ErrorKind::Exists => "there is one already".into(),
        ErrorKind::NotFound => format!("there is no such thing ({text})"),
        _ => text.into(),
    }
}
