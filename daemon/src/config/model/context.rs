//! Where a configuration line is typed: the mode and the object it edits.

use isthmus_grammar::command::{AclId, ConfigCommand, Form, GlobalCommand, LineKind};
use isthmus_grammar::interface_name::range;
use isthmus_grammar::{InterfaceName, Mode};

use super::BlockId;

/// A configuration mode with the object it edits. The session keeps one while it is in configuration mode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Context {
    /// `(config)#`
    #[default]
    Global,
    /// `(config-if)#`
    Interface(InterfaceName),
    /// `(config-if-range)#`: every line is for each of them.
    Range(Vec<InterfaceName>),
    /// `(config-ext-nacl)#`
    ExtendedAcl(AclId),
    /// `(config-std-nacl)#`
    StandardAcl(AclId),
    /// `(config-isakmp)#`
    IsakmpPolicy(u16),
    /// `(cfg-crypto-trans)#`
    TransformSet(String),
    /// `(config-crypto-map)#`
    CryptoMap {
        /// The map.
        name: String,
        /// The entry.
        sequence: u16,
    },
    /// `(config-line)#`
    Line {
        /// console, aux or vty.
        kind: LineKind,
        /// The first line.
        first: u16,
        /// The last line, the same for a single one.
        last: u16,
    },
    /// A block of retained lines, in global configuration or in another such block.
    Retained {
        /// The mode whose commands are understood here.
        mode: Mode,
        /// The lines that open the blocks, the outermost first.
        path: Vec<BlockId>,
    },
}

impl Context {
    /// The mode whose commands are understood here.
    pub fn mode(&self) -> Mode {
        match self {
            Context::Global => Mode::Config,
            Context::Interface(_) | Context::Range(_) => Mode::Interface,
            Context::ExtendedAcl(_) => Mode::ExtendedAcl,
            Context::StandardAcl(_) => Mode::StandardAcl,
            Context::IsakmpPolicy(_) => Mode::IsakmpPolicy,
            Context::TransformSet(_) => Mode::TransformSet,
            Context::CryptoMap { .. } => Mode::CryptoMap,
            Context::Line { .. } => Mode::Line,
            Context::Retained { mode, .. } => *mode,
        }
    }

    /// The whole prompt.
    pub fn prompt(&self, hostname: &str) -> String {
        let prompt = self.mode().prompt(hostname);
        match self {
            Context::Range(_) => prompt.replace("(config-if)#", "(config-if-range)#"),
            _ => prompt,
        }
    }

    /// The contexts in which a line of this one is obeyed: the interfaces of a range, otherwise the context itself.
    pub(in crate::config) fn each(&self) -> Vec<Context> {
        match self {
            Context::Range(names) => names.iter().cloned().map(Context::Interface).collect(),
            context => vec![context.clone()],
        }
    }

    /// Where `exit` leads; global configuration stays where it is.
    pub fn up(&self) -> Context {
        let above = self.mode().parent().unwrap_or(Mode::Config);
        self.up_to(above).unwrap_or_default()
    }

    /// The context of the mode, here or above.
    pub(in crate::config) fn up_to(&self, wanted: Mode) -> Option<Context> {
        if self.mode() == wanted {
            return Some(self.clone());
        }
        let at = self.mode().tables().position(|mode| mode == wanted)?;
        match self {
            _ if wanted == Mode::Config => Some(Context::Global),
            Context::Retained { path, .. } => Some(Context::Retained {
                mode: wanted,
                path: path[..path.len().checked_sub(at)?].to_vec(),
            }),
            _ => None,
        }
    }

    /// The context in a block that a retained line opens here.
    pub(in crate::config) fn below(&self, mode: Mode, id: BlockId) -> Context {
        let mut path = match self {
            Context::Retained { path, .. } => path.clone(),
            _ => Vec::new(),
        };
        path.push(id);
        Context::Retained { mode, path }
    }

    /// The context after a global command was obeyed: the sub-mode it enters, or global configuration.
    pub(in crate::config) fn after(form: Form, command: &GlobalCommand) -> Context {
        if form != Form::Set {
            return Context::Global;
        }
        match command {
            GlobalCommand::Interface { name, .. } => Context::Interface(name.clone()),
            GlobalCommand::InterfaceRange(list) => {
                range(list).map_or(Context::Global, Context::Range)
            }
            GlobalCommand::IpAccessList { kind, name } => match kind {
                isthmus_grammar::command::AclKind::Extended => Context::ExtendedAcl(name.clone()),
                isthmus_grammar::command::AclKind::Standard => Context::StandardAcl(name.clone()),
            },
            GlobalCommand::CryptoIsakmpPolicy(priority) => Context::IsakmpPolicy(*priority),
            GlobalCommand::CryptoIpsecTransformSet { name, .. } => {
                Context::TransformSet(name.clone())
            }
            GlobalCommand::CryptoMap {
                name,
                sequence: Some(sequence),
                kind,
            } if kind
                .as_ref()
                .is_none_or(|kind| kind.dynamic_map().is_none()) =>
            {
                Context::CryptoMap {
                    name: name.clone(),
                    sequence: *sequence,
                }
            }
            GlobalCommand::Line { kind, first, last } => Context::Line {
                kind: *kind,
                first: *first,
                last: last.unwrap_or(*first),
            },
            _ => Context::Global,
        }
    }

    /// The context after `command` was obeyed here.
    pub(in crate::config) fn next(&self, form: Form, command: &ConfigCommand) -> Context {
        match command {
            ConfigCommand::Global(global) => Context::after(form, global),
            _ => self.clone(),
        }
    }
}
