//! The memory of the Isthmus programs. Their allocator wipes it before it is free; [`keep_to_itself`], which their `main`
//! calls, keeps it from others.
//!
//! A key goes through many buffers on its way from the console to the kernel: frames, JSON, the parser, screens. Buffers
//! grow and move, and types that wipe themselves do not reach the old copies. The allocator does.

use std::alloc::{GlobalAlloc, Layout, System};

use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, setrlimit};

/// No other process of the same user may read the memory of this one from now on, and no core dump has it. A program
/// that this one starts decides for itself who may read it; it writes no core dump either.
///
/// # Errors
/// The system's; there is no reason for one on Linux.
pub fn keep_to_itself() -> std::io::Result<()> {
    set_dumpable(false)?;
    Ok(setrlimit(Resource::RLIMIT_CORE, 0, 0)?)
}

/// The system's allocator, with every octet overwritten before it is free again. Moving (`realloc`) is done as the trait
/// does it by default, by a new allocation and the end of the old one, so that no copy stays.
#[derive(Debug)]
struct Wiping;

#[global_allocator]
static ALLOCATOR: Wiping = Wiping;

// SAFETY: every call goes to `System` with the arguments as they came; the memory is written to only in `dealloc`, where
// the caller has given it up and `System` has not got it back yet.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` with this layout, so `layout.size()` octets may be written. The C library
        // promises that this write is not optimised away.
        unsafe { nix::libc::explicit_bzero(pointer.cast(), layout.size()) };
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}
