//! The Isthmus console. `main` reads the arguments and calls one of these: [`plain`] (`-c`,
//! standard input), [`shell`] (a person or a tool at a terminal), [`check`] (`--check FILE`), [`scp`] (`-c 'scp -t ...'`).

pub mod check;
pub mod client;
pub mod documents;
pub mod lang;
pub mod line;
pub mod plain;
pub mod scp;
pub mod screen;
pub mod shell;
pub mod tty;
