//! Sign-in-with-x: a wallet fetches again what it has bought, without a payment.

use std::sync::Arc;

use axum::{http::HeaderValue, response::Response};
use ed25519_dalek::{Signature, VerifyingKey};
use motif_sdk::{
    Pubkey,
    gateway::wire::{
        sale::SaleState,
        sign_in::{SignIn, SignInError},
    },
};

use super::{desk::SaleDesk, request::Request};
use crate::{error::PaywallError, paywall::Paywall};

impl Paywall {
    /// Returns the stored answer that the wallet of a sign-in has bought with the same request; `None`
    /// without one, or if the sign-in proves nothing. Payments that their buyer named are not found.
    ///
    /// # Errors
    /// [`PaywallError::AnswerElsewhere`]; those of the desk.
    pub(crate) async fn fetch_again(
        &self,
        desk: &Arc<dyn SaleDesk>,
        request: &Request,
        sign_in: &HeaderValue,
    ) -> Result<Option<Response>, PaywallError> {
        let url = format!("{}{}", desk.config().public_url, request.target);
        let wallet = match wallet(sign_in, &url, self.engine().now()) {
            Ok(wallet) => wallet,
            Err(error) => {
                tracing::debug!(%error, "a sign-in was ignored");
                return Ok(None);
            }
        };
        let mut holder = None;
        for sale in desk.of_request(&wallet, &request.digest, "").await?.into_iter().rev() {
            if sale.state != SaleState::Landed {
                continue;
            }
            if self.spool().find(&sale.answer).is_some() {
                return self.sale_response(desk, &sale, None).await.map(Some);
            }
            holder = holder.or(sale.holder);
        }
        holder.map_or(Ok(None), |holder| Err(PaywallError::AnswerElsewhere(holder)))
    }
}

/// Returns the wallet that signed in for a URL.
fn wallet(header: &HeaderValue, url: &str, now: i64) -> Result<Pubkey, SignInError> {
    let text = header.to_str().map_err(|_| SignInError::Malformed)?;
    SignIn::from_header(text)?.wallet(url, now, |key, message, signature| {
        VerifyingKey::from_bytes(key.as_array())
            .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
    })
}
