//! Whole routers on the kernel in memory, as one program that links the daemon once. What changes the whole process (its
//! umask, its sandbox, its memory) has a program of its own beside this folder.

#[path = "../bed/mod.rs"]
mod bed;
mod change_control;
#[path = "../../../grammar/tests/common/mod.rs"]
mod common;
mod control;
#[path = "../../../grammar/tests/common/corpus.rs"]
mod corpus;
mod fail_closed;
mod hold;
mod interfaces;
mod logging;
mod login;
mod network;
mod pair;
mod prompt;
mod secrets;
