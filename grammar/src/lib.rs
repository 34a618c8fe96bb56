//! Every command of the Isthmus console, once: parse, abbreviate, `?`, Tab, caret, typed [`command::Command`],
//! canonical text. The pest files in `commands/` are the only source of syntax.
//!
//! ```
//! use isthmus_grammar::command::Command;
//! use isthmus_grammar::{Mode, help, parser, render};
//!
//! let parsed = parser::parse(Mode::IsakmpPolicy, "enc aes 256").unwrap();
//! let Command::Config(line) = parsed.command else { panic!("a configuration line") };
//! assert_eq!(render::render(&line), "encr aes 256");
//!
//! assert_eq!(help::help(Mode::Exec, "sh"), "show\n");
//! let refusal = parser::parse(Mode::Config, "crypto isakmp policy 0").unwrap_err();
//! assert!(refusal.message(11, "").starts_with(&format!("{:32}^", "")));
//! ```

pub mod alias;
pub mod banner;
mod build;
pub mod command;
pub mod file;
pub mod foreign;
pub mod help;
pub mod interface_name;
mod matched;
pub mod modes;
pub mod parser;
pub mod privilege;
pub mod refusal;
pub mod render;
mod retained;
pub mod secrets;
mod tree;
pub mod walk;
pub mod weakness;

pub use alias::Alias;
pub use interface_name::InterfaceName;
pub use modes::Mode;
pub use privilege::{Access, PrivilegeRule};
pub use refusal::Refusal;
pub use tree::Rule;
