//! Proof of the keypair's owner to a gateway.

use motif_sdk::gateway::{
    GatewayClient,
    wire::{Address, PersonProof, SignatureHex},
};
use solana_signer::Signer;

use crate::{error::CliError, session::Session};

/// Validity of a proof, seconds.
const PROOF_SECONDS: i64 = 600;

/// Signs a proof of the keypair's owner for the gateway's operator.
///
/// # Errors
/// [`CliError`]
pub async fn prove(gateway: &GatewayClient, session: &Session) -> Result<PersonProof, CliError> {
    let keypair = session.keypair()?;
    let operator = gateway.operator().await?.operator.0;
    let (person, expires_at) = (keypair.pubkey(), session.now().saturating_add(PROOF_SECONDS));
    let message = PersonProof::message(&operator, &person, expires_at);
    let signature = SignatureHex(keypair.sign_message(message.as_bytes()).into());
    Ok(PersonProof { address: Address(person), expires_at, signature })
}
