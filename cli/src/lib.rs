//! The Isthmus console. `main` reads the arguments and calls one of three: [`plain`] (`-c`,
//! standard input), [`shell`] (a person or a tool at a terminal), [`check`] (`--check FILE`).

pub mod check;
pub mod client;
pub mod documents;
pub mod lang;
pub mod line;
pub mod plain;
pub mod screen;
pub mod shell;
pub mod tty;
