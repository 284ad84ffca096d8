#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod listener;
mod local;
mod protocol;
mod purpose;
mod server;
mod signer;
mod socket;

pub use error::SignError;
pub use listener::bind_socket;
pub use local::LocalSigner;
pub use protocol::{MAX_LINE_BYTES, SignRequest, SignResponse};
pub use purpose::Purpose;
pub use server::{ServedKey, SigningServer};
pub use signer::OperatorSigner;
pub use socket::SocketSigner;
