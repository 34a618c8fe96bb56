//! The crate against a real kernel, each test in a network namespace of its own. Any kernel with XFRM will do; what needs
//! ESP says on standard error that it is left to the lab where the kernel has none. Modules wanted there: esp4, esp6, ah4,
//! ah6, tun, dummy and the ciphers. Needs root (or user namespaces), `ip` and /dev/net/tun, nothing else: the lab copies
//! this program into its guest and runs it.

mod contract;
mod crossing;
mod opening;
mod world;
