//! The calls into AWS-LC: all `unsafe` of this crate. `lib.rs` and `comb.rs` call it.
//!
//! Each pointer that AWS-LC gives is owned by one of the types here, whose `Drop` frees it: an error on the way leaks
//! nothing. Numbers are freed by `BN_clear_free`; what AWS-LC puts aside while it computes is wiped by AWS-LC: every
//! block by `OPENSSL_free`, the powers on its stack by `OPENSSL_cleanse`.

#![allow(unsafe_code)]

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use aws_lc_sys::{
    BIGNUM, BN_CTX, BN_CTX_free, BN_CTX_new, BN_MONT_CTX, BN_MONT_CTX_free,
    BN_MONT_CTX_new_for_modulus, BN_bin2bn, BN_bn2bin_padded, BN_bn2le_padded, BN_clear_free,
    BN_from_montgomery, BN_is_odd, BN_le2bn, BN_mod_exp_mont_consttime, BN_mod_mul_montgomery,
    BN_new, BN_to_montgomery, BN_ucmp, CRYPTO_library_init, ERR_clear_error,
};
use zeroize::Zeroizing;

use crate::Error;

/// Bytes of the longest modulus taken, well below where AWS-LC ends (`BN_MONTGOMERY_MAX_WORDS`).
const MAX_MODULUS: usize = 1024;

/// A number that is not negative. Wiped when dropped. Its width is that of the bytes it was made from, so that leading zeros of
/// a secret do not show in the time.
pub(crate) struct Number(NonNull<BIGNUM>);

impl Number {
    /// Zero.
    pub(crate) fn new() -> Result<Self, Error> {
        // SAFETY: takes nothing; the number it gives is freed in `drop` only.
        owned(unsafe { BN_new() }).map(Self)
    }

    pub(crate) fn from_big_endian(bytes: &[u8]) -> Result<Self, Error> {
        // SAFETY: reads `bytes.len()` bytes from `bytes`; a null result asks for a new number, freed in `drop` only.
        owned(unsafe { BN_bin2bn(bytes.as_ptr(), bytes.len(), ptr::null_mut()) }).map(Self)
    }

    /// Puts little-endian bytes in the place of the number.
    pub(crate) fn set_little_endian(&mut self, bytes: &[u8]) -> Result<(), Error> {
        // SAFETY: reads `bytes.len()` bytes from `bytes` and writes to this number, which nothing else borrows. It gives
        // the same pointer back, or null.
        let number = unsafe { BN_le2bn(bytes.as_ptr(), bytes.len(), self.0.as_ptr()) };
        owned(number).map(|_| ())
    }

    /// The number in `bytes` bytes, which it must fit.
    pub(crate) fn to_big_endian(&self, bytes: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut out = Zeroizing::new(vec![0; bytes]);
        // SAFETY: writes `out.len()` bytes to `out`; the number is alive and only read.
        done(unsafe { BN_bn2bin_padded(out.as_mut_ptr(), out.len(), self.0.as_ptr()) })?;
        Ok(out)
    }

    /// Writes the number to all of `out`, which it must fit.
    pub(crate) fn write_little_endian(&self, out: &mut [u8]) -> Result<(), Error> {
        // SAFETY: writes `out.len()` bytes to `out`; the number is alive and only read.
        done(unsafe { BN_bn2le_padded(out.as_mut_ptr(), out.len(), self.0.as_ptr()) })
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        // SAFETY: the number came from AWS-LC, is owned by `self` alone, and is not used again.
        unsafe { BN_clear_free(self.0.as_ptr()) }
    }
}

/// Numbers that AWS-LC puts aside during a computation.
pub(crate) struct Scratch(NonNull<BN_CTX>);

impl Scratch {
    pub(crate) fn new() -> Result<Self, Error> {
        // SAFETY: takes nothing; what it gives is freed in `drop` only.
        owned(unsafe { BN_CTX_new() }).map(Self)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: it came from AWS-LC, is owned by `self` alone, and is not used again.
        unsafe { BN_CTX_free(self.0.as_ptr()) }
    }
}

/// An odd modulus, and what multiplying in Montgomery form needs. Not secret.
pub(crate) struct Montgomery {
    modulus: Number,
    context: NonNull<BN_MONT_CTX>,
}

// SAFETY: it is owned, not bound to a thread (AWS-LC keeps no thread-local state but its queue of errors).
unsafe impl Send for Montgomery {}
// SAFETY: no method changes it: AWS-LC takes both the modulus and the context as pointers to const, and reads them only.
unsafe impl Sync for Montgomery {}

impl Montgomery {
    /// Of a modulus that is odd, begins with a byte that is not zero, and has at most [`MAX_MODULUS`].
    pub(crate) fn new(modulus: &[u8]) -> Result<Self, Error> {
        // SAFETY: may be called at any time, from any thread; AWS-LC learns here which instructions the processor has.
        unsafe { CRYPTO_library_init() };
        let begins_with_zero = modulus.first().is_none_or(|byte| *byte == 0);
        if begins_with_zero || modulus.len() > MAX_MODULUS {
            return Err(Error::Modulus);
        }
        let modulus = Number::from_big_endian(modulus)?;
        // SAFETY: the number is alive and only read.
        if unsafe { BN_is_odd(modulus.0.as_ptr()) } == 0 {
            return Err(Error::Modulus);
        }
        // SAFETY: the modulus is alive and only read: the context has a copy. AWS-LC makes its own scratch for a null
        // one. What it gives is freed in `drop` only.
        let context = unsafe { BN_MONT_CTX_new_for_modulus(modulus.0.as_ptr(), ptr::null_mut()) };
        let context = owned(context)?;
        Ok(Self { modulus, context })
    }

    /// Whether the modulus is more than `number`. Its time tells where they differ.
    pub(crate) fn is_above(&self, number: &Number) -> bool {
        // SAFETY: both numbers are alive and only read.
        unsafe { BN_ucmp(number.0.as_ptr(), self.modulus.0.as_ptr()) < 0 }
    }

    /// base^exponent, in constant time for both, neither in Montgomery form. The base must be below the modulus.
    pub(crate) fn power(&self, base: &Number, exponent: &Number) -> Result<Number, Error> {
        let scratch = Scratch::new()?;
        let result = Number::new()?;
        // SAFETY: all six are alive; only `result` and the scratch are written to, and both are borrowed by nothing else.
        // The context was made from this modulus.
        done(unsafe {
            BN_mod_exp_mont_consttime(
                result.0.as_ptr(),
                base.0.as_ptr(),
                exponent.0.as_ptr(),
                self.modulus.0.as_ptr(),
                scratch.0.as_ptr(),
                self.context.as_ptr(),
            )
        })?;
        Ok(result)
    }

    /// Brings a number below the modulus into Montgomery form.
    pub(crate) fn enter(&self, number: &Number, scratch: &mut Scratch) -> Result<Number, Error> {
        let result = Number::new()?;
        // SAFETY: all four are alive; only `result` and the scratch are written to, which nothing else borrows.
        done(unsafe {
            BN_to_montgomery(
                result.0.as_ptr(),
                number.0.as_ptr(),
                self.context.as_ptr(),
                scratch.0.as_ptr(),
            )
        })?;
        Ok(result)
    }

    /// Brings a number out of Montgomery form.
    pub(crate) fn leave(&self, number: &Number, scratch: &mut Scratch) -> Result<Number, Error> {
        let result = Number::new()?;
        // SAFETY: all four are alive; only `result` and the scratch are written to, which nothing else borrows.
        done(unsafe {
            BN_from_montgomery(
                result.0.as_ptr(),
                number.0.as_ptr(),
                self.context.as_ptr(),
                scratch.0.as_ptr(),
            )
        })?;
        Ok(result)
    }

    /// Multiplies `number` by `factor`, both in Montgomery form.
    pub(crate) fn multiply(
        &self,
        number: &mut Number,
        factor: &Number,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        // SAFETY: all four are alive; only `number` and the scratch are written to, which nothing else borrows. AWS-LC
        // allows the result to be one of the factors.
        done(unsafe {
            BN_mod_mul_montgomery(
                number.0.as_ptr(),
                number.0.as_ptr(),
                factor.0.as_ptr(),
                self.context.as_ptr(),
                scratch.0.as_ptr(),
            )
        })
    }

    /// Squares `number`, which is in Montgomery form.
    pub(crate) fn square(&self, number: &mut Number, scratch: &mut Scratch) -> Result<(), Error> {
        // SAFETY: as for `multiply`; equal factors are how AWS-LC is told to square.
        done(unsafe {
            BN_mod_mul_montgomery(
                number.0.as_ptr(),
                number.0.as_ptr(),
                number.0.as_ptr(),
                self.context.as_ptr(),
                scratch.0.as_ptr(),
            )
        })
    }
}

impl Drop for Montgomery {
    fn drop(&mut self) {
        // SAFETY: the context came from AWS-LC, is owned by `self` alone, and is not used again.
        unsafe { BN_MONT_CTX_free(self.context.as_ptr()) }
    }
}

/// What AWS-LC gives as new, or [`Error::Memory`] for null.
fn owned<T>(pointer: *mut T) -> Result<NonNull<T>, Error> {
    NonNull::new(pointer).ok_or_else(failed)
}

/// The answer of AWS-LC: one for success. What its functions here ask of their arguments was checked before: memory is
/// the only thing that can be missing.
fn done(answer: c_int) -> Result<(), Error> {
    if answer == 1 { Ok(()) } else { Err(failed()) }
}

fn failed() -> Error {
    // SAFETY: empties this thread's queue of errors, to which nothing holds a pointer.
    unsafe { ERR_clear_error() };
    Error::Memory
}
