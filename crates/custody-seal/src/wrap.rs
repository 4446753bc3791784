//! Keys at rest: wrapped by a key service. The port is here; AWS KMS is another crate's adapter. The local key file is here as
//! bytes: who reads and writes the file, and checks its permissions, is another crate.

mod context;
mod error;
mod key_file;
mod key_file_format;
mod key_file_wrapper;
mod passphrase;
mod port;
mod wrapped_key;

pub use context::{WrapContext, WrapSubject};
pub use error::{KeyFileError, WrapError};
pub use key_file::{KeyFile, KeyOwner};
pub use key_file_wrapper::KeyFileWrapper;
pub use passphrase::PassphraseCost;
pub use port::KeyWrapper;
pub use wrapped_key::{InvalidKeyNameError, WrappedKey, WrappingKeyName};
