//! The rules as an automaton over words.
//!
//! Every place where a rule names a word or an argument becomes a node; a node knows which nodes may follow it
//! (Glushkov's construction, in the order of the alternatives). It also knows inside which rules it stands: each place
//! where a rule is named is a frame of its own, so that the nodes of a line say which of its words belong to which rule.

use std::collections::{HashMap, HashSet, VecDeque};

use pest_meta::ast::{Expr, RuleType};

use crate::attributes;
use crate::read::{Rules, is_table};
use crate::terminal::terminals;

/// One place of one terminal.
pub struct Node {
    pub terminal: usize,
    /// The innermost rule around it.
    pub frame: Option<usize>,
    pub follow: Vec<Edge>,
    /// The command may end here.
    pub accepting: bool,
    /// User EXEC has this place as well.
    pub in_user_exec: bool,
}

/// A node that may follow, and how many of the rules around it go on from the node before.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Edge {
    pub node: usize,
    pub open: usize,
}

/// A place where a rule is named.
pub struct Frame {
    pub rule: String,
    /// The rule around it; none for that of a whole command.
    pub parent: Option<usize>,
    /// How many rules are around what is directly in it.
    pub depth: usize,
}

/// A piece of the automaton while it is built.
#[derive(Debug, Clone, Default)]
struct Fragment {
    first: Vec<usize>,
    last: Vec<usize>,
    nullable: bool,
}

impl Fragment {
    fn empty() -> Self {
        Self {
            nullable: true,
            ..Self::default()
        }
    }

    fn optional(mut self) -> Self {
        self.nullable = true;
        self
    }
}

/// The automaton of all modes.
pub struct Automaton<'r> {
    rules: &'r Rules,
    /// The text of each terminal, in the order of the rules.
    pub terminals: Vec<String>,
    /// Where the terminals of an atomic rule are.
    pub by_rule: HashMap<&'r str, std::ops::Range<usize>>,
    pub nodes: Vec<Node>,
    pub frames: Vec<Frame>,
    /// The first nodes of each table, by the name of its rule.
    pub starts: Vec<(&'r str, Vec<usize>)>,
    /// The rule that is being built.
    here: Option<usize>,
    /// What is being built stands after `no` or `default`.
    negated: bool,
    /// What every configuration mode has in common, made once.
    navigation: Option<Fragment>,
}

impl<'r> Automaton<'r> {
    pub fn new(rules: &'r Rules) -> Self {
        let mut automaton = Self {
            rules,
            terminals: Vec::new(),
            by_rule: HashMap::new(),
            nodes: Vec::new(),
            frames: Vec::new(),
            starts: Vec::new(),
            here: None,
            negated: false,
            navigation: None,
        };
        for rule in rules.named().filter(|rule| rule.ty == RuleType::Atomic) {
            let start = automaton.terminals.len();
            let own = terminals(rule, rules.docs(&rule.name));
            automaton.terminals.extend(own);
            let own = start..automaton.terminals.len();
            automaton.by_rule.insert(&rule.name, own);
        }
        for table in rules.tables() {
            let fragment = automaton.expr(&table.expr);
            for node in fragment.last {
                automaton.nodes[node].accepting = true;
            }
            automaton.starts.push((&table.name, fragment.first));
        }
        automaton.mark_user_exec();
        automaton
    }

    fn rule(&mut self, name: &str) -> Fragment {
        if self.negated
            && let Some(own) = self.rules.negated(name)
        {
            return self.rule(own);
        }
        let Some(rule) = self.rules.get(name) else {
            return Fragment::empty();
        };
        assert!(!is_table(rule), "{name} is a whole line and is named");
        match rule.ty {
            RuleType::Atomic => self.atomic(name),
            RuleType::Silent if name == "navigation" => self.navigation(&rule.expr),
            RuleType::Silent => self.expr(&rule.expr),
            _ => self.frame(name, &rule.expr),
        }
    }

    fn navigation(&mut self, expr: &Expr) -> Fragment {
        if self.navigation.is_none() {
            self.navigation = Some(self.expr(expr));
        }
        self.navigation.clone().unwrap_or_default()
    }

    /// A rule that what is parsed is made of.
    fn frame(&mut self, name: &str, expr: &Expr) -> Fragment {
        let around = (self.here, self.negated);
        self.negated = false;
        self.here = Some(self.frames.len());
        self.frames.push(Frame {
            rule: name.to_owned(),
            parent: around.0,
            depth: self.depth(around.0) + 1,
        });
        let mut fragment = self.expr(expr);
        (self.here, self.negated) = around;
        assert!(!fragment.nullable, "{name} may be without words");
        if self.negated
            && let Some(count) = attributes::no_after(self.rules.docs(name))
        {
            self.may_end_after(count, &mut fragment);
        }
        fragment
    }

    /// Lets a piece end after so many words, or after any later one.
    fn may_end_after(&self, count: usize, fragment: &mut Fragment) {
        let mut todo: VecDeque<_> = fragment.first.iter().map(|node| (*node, 1)).collect();
        let mut seen = HashSet::new();
        while let Some((node, words)) = todo.pop_front() {
            if !seen.insert(node) {
                continue;
            }
            let follow = self.nodes[node].follow.iter();
            todo.extend(follow.map(|edge| (edge.node, words + 1)));
            if words >= count && !fragment.last.contains(&node) && !self.is_interface_type(node) {
                fragment.last.push(node);
            }
        }
    }

    /// The node is the first of the two tokens of an interface name.
    fn is_interface_type(&self, node: usize) -> bool {
        let terminal = self.nodes[node].terminal;
        let mut all = self.by_rule.values();
        all.any(|own| own.len() == 3 && own.start + 1 == terminal)
    }

    /// A word or an argument; an interface name also as two tokens, type and number.
    fn atomic(&mut self, name: &str) -> Fragment {
        let nodes: Vec<usize> = self.by_rule[name].clone().map(|id| self.node(id)).collect();
        match nodes[..] {
            [whole, kind, number] => {
                self.connect(&[kind], &[number], usize::MAX);
                Fragment {
                    first: vec![whole, kind],
                    last: vec![whole, number],
                    nullable: false,
                }
            }
            _ => Fragment {
                first: nodes.clone(),
                last: nodes,
                nullable: false,
            },
        }
    }

    fn node(&mut self, terminal: usize) -> usize {
        self.nodes.push(Node {
            terminal,
            frame: self.here,
            follow: Vec::new(),
            accepting: false,
            in_user_exec: false,
        });
        self.nodes.len() - 1
    }

    fn expr(&mut self, expr: &Expr) -> Fragment {
        match expr {
            Expr::Ident(name) => self.rule(name),
            Expr::Seq(left, right) => {
                let negates =
                    matches!(&**left, Expr::Ident(name) if name == "k_no" || name == "k_default");
                let left = self.expr(left);
                let around = self.negated;
                self.negated |= negates;
                let right = self.expr(right);
                self.negated = around;
                self.sequence(left, right)
            }
            Expr::Choice(left, right) => {
                let mut left = self.expr(left);
                let right = self.expr(right);
                left.first.extend(right.first);
                left.last.extend(right.last);
                left.nullable |= right.nullable;
                left
            }
            Expr::Opt(inner) => self.expr(inner).optional(),
            Expr::Rep(inner) => self.repeat(inner).optional(),
            Expr::RepOnce(inner) => self.repeat(inner),
            Expr::RepExact(inner, count) => self.counted(inner, *count, *count),
            Expr::RepMax(inner, max) => self.counted(inner, 0, *max),
            Expr::RepMinMax(inner, min, max) => self.counted(inner, *min, *max),
            other => panic!("no command is made with {other}"),
        }
    }

    fn sequence(&mut self, left: Fragment, right: Fragment) -> Fragment {
        self.connect(&left.last, &right.first, usize::MAX);
        let mut first = left.first;
        if left.nullable {
            first.extend(&right.first);
        }
        let mut last = right.last;
        if right.nullable {
            last.extend(&left.last);
        }
        Fragment {
            first,
            last,
            nullable: left.nullable && right.nullable,
        }
    }

    fn repeat(&mut self, inner: &Expr) -> Fragment {
        let fragment = self.expr(inner);
        // The rules in what is repeated begin anew.
        let depth = self.depth(self.here);
        self.connect(&fragment.last, &fragment.first, depth);
        fragment
    }

    fn counted(&mut self, inner: &Expr, min: u32, max: u32) -> Fragment {
        let mut whole = Fragment::empty();
        for index in (0..max).rev() {
            let one = self.expr(inner);
            whole = self.sequence(one, whole);
            whole.nullable |= index >= min;
        }
        whole
    }

    /// Nodes that follow others, with no more than so many rules going on from one to the other.
    fn connect(&mut self, from: &[usize], to: &[usize], most: usize) {
        for node in from {
            for next in to {
                if self.nodes[*node]
                    .follow
                    .iter()
                    .all(|edge| edge.node != *next)
                {
                    let common = self.common(self.nodes[*node].frame, self.nodes[*next].frame);
                    let open = common.min(most);
                    self.nodes[*node].follow.push(Edge { node: *next, open });
                }
            }
        }
    }

    fn depth(&self, frame: Option<usize>) -> usize {
        frame.map_or(0, |frame| self.frames[frame].depth)
    }

    /// How many rules two places have in common.
    fn common(&self, mut left: Option<usize>, mut right: Option<usize>) -> usize {
        while left != right {
            let (one, other) = (self.depth(left), self.depth(right));
            if one >= other {
                left = left.and_then(|frame| self.frames[frame].parent);
            }
            if other >= one {
                right = right.and_then(|frame| self.frames[frame].parent);
            }
        }
        self.depth(left)
    }

    /// Marks every place of EXEC, also after `do`, that user EXEC has too.
    fn mark_user_exec(&mut self) {
        let start = |rule: &str| {
            let mut starts = self.starts.iter();
            starts
                .find(|(table, _)| *table == rule)
                .map(|(_, nodes)| nodes.clone())
                .unwrap_or_default()
        };
        let user = start("user_exec_mode");
        let mut exec = start("exec_mode");
        let word = self.by_rule["k_do"].clone();
        let after_do = self.nodes.iter();
        let after_do = after_do.filter(|node| word.contains(&node.terminal));
        exec.extend(after_do.flat_map(|node| node.follow.iter().map(|edge| edge.node)));
        let mut todo = self.pairs(&exec, &user);
        todo.extend(user.iter().map(|node| (*node, *node)));
        let mut seen = HashSet::new();
        while let Some((node, user)) = todo.pop() {
            if seen.insert((node, user)) {
                self.nodes[node].in_user_exec = true;
                let follow = |node: usize| {
                    let edges = self.nodes[node].follow.iter();
                    edges.map(|edge| edge.node).collect::<Vec<_>>()
                };
                todo.extend(self.pairs(&follow(node), &follow(user)));
            }
        }
    }

    /// The places of both lists that have the same terminal.
    fn pairs(&self, left: &[usize], right: &[usize]) -> Vec<(usize, usize)> {
        let pairs = left
            .iter()
            .flat_map(|left| right.iter().map(|right| (*left, *right)));
        pairs
            .filter(|(left, right)| self.nodes[*left].terminal == self.nodes[*right].terminal)
            .collect()
    }
}
