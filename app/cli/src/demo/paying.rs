use motif_sdk::{
    Pubkey,
    channel::ChannelAccount,
    fingerprint::content_digest,
    gateway::{GatewayClient, PayerSession, SessionPolicy},
    keypair::signing_key,
    receipt::SignedReceipt,
};

use super::cast::Cast;
use crate::{error::CliError, rendering::Palette};

/// The style model's place among the channel's licenses: it is accepted second.
const MODEL_LICENSE: u16 = 1;

/// The platform at work: it renders, and pays for each rendering.
pub struct Platform {
    session: PayerSession,
    palette: Palette,
}

impl Platform {
    pub async fn new(
        gateway_url: &str,
        channel: &Pubkey,
        account: &ChannelAccount,
        cast: &Cast,
        palette: Palette,
    ) -> Result<Self, CliError> {
        let gateway = GatewayClient::new(gateway_url);
        let key = signing_key(&cast.platform_vouchers);
        let policy = SessionPolicy::default();
        let session = PayerSession::begin(gateway, *channel, account, key, policy).await?;
        Ok(Self { session, palette })
    }

    /// One generation: a picture is made, and its receipt says for which request.
    pub async fn generate(&mut self, number: u32) -> Result<(SignedReceipt, Vec<u8>), CliError> {
        let request = format!("New York, same style, no. {number}");
        let request_digest = content_digest(request.as_bytes());
        let output = self.palette.render(&request_digest);
        let output_digest = content_digest(&output);
        let paid = self.session.generate(MODEL_LICENSE, 1, request_digest, output_digest).await?;
        Ok((paid, output))
    }
}
