//! The machine below the router: its links and their names, how busy it is, its folders, and what the daemon may do in it.
//! Nothing here knows the router; `router`, `tasks` and `main` call it.

pub mod directory;
pub mod disk;
pub mod interfaces;
pub mod load;
pub mod notify;
pub mod outside;
pub mod sandbox;
