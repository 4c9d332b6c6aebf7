//! What admits a program.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::sign_in::users::InvalidCredentials;

/// A token. Only a hash of it is kept: it has a fixed length, so comparing it reveals nothing about the token.
pub(crate) struct Token([u8; 32]);

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Token").finish_non_exhaustive()
    }
}

impl Token {
    pub(crate) fn new(token: &str) -> Result<Self, InvalidCredentials> {
        if token.is_empty() {
            return Err(InvalidCredentials::EmptyToken);
        }
        match token.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(Self(Sha256::digest(token).into())),
            false => Err(InvalidCredentials::TokenCharacters),
        }
    }

    pub(crate) fn is(&self, text: &str) -> bool {
        Sha256::digest(text).ct_eq(&self.0).into()
    }
}
