//! Sign-in-with-x: a wallet fetches again what it has bought, without a payment.

use std::sync::Arc;

use axum::{
    http::HeaderValue,
    response::{IntoResponse, Response},
};
use ed25519_dalek::{Signature, VerifyingKey};
use motif_sdk::{
    Pubkey,
    gateway::wire::{
        sale::SaleState,
        sign_in::{SignIn, SignInError},
    },
};

use super::{
    desk::SaleDesk,
    flow::{Made, SaleError, Step},
    request::{Forward, Request},
};
use crate::{error::PaywallError, paywall::Paywall};

impl Paywall {
    /// Returns the wallet of a sign-in for a target; `None` if the sign-in proves nothing.
    pub(crate) fn signed_in(
        &self,
        desk: &dyn SaleDesk,
        target: &str,
        sign_in: &HeaderValue,
    ) -> Option<Pubkey> {
        let url = format!("{}{target}", desk.config().public_url);
        match wallet(sign_in, &url, self.engine().now()) {
            Ok(wallet) => Some(wallet),
            Err(error) => {
                tracing::debug!(%error, "a sign-in was ignored");
                None
            }
        }
    }

    /// Returns the answer that a wallet that has signed in bought with the same request; it is made if it
    /// is still owed. `None` if the wallet has none. Payments that their buyer named are not found.
    ///
    /// # Errors
    /// [`PaywallError::PaymentUnsettled`] if a payment may still land; [`PaywallError::AnswerElsewhere`],
    /// [`PaywallError::AnswerOwed`]; those of the desk.
    pub(crate) async fn fetch_again(
        &self,
        desk: &Arc<dyn SaleDesk>,
        (request, wallet): (&Request, Pubkey),
        forward: Forward,
    ) -> Result<Option<Response>, PaywallError> {
        let turn = self.sale_locks().lock((wallet, request.digest, String::new())).await;
        let (mut is_unsettled, mut owed, mut elsewhere) = (false, None, None);
        for sale in desk.of_request(&wallet, &request.digest, "").await?.into_iter().rev() {
            match sale.state {
                SaleState::Sent => is_unsettled = true,
                SaleState::Failed | SaleState::Expired => {}
                SaleState::Landed => match self.landed_step(sale, request) {
                    Ok(Step::Deliver(sale)) => {
                        drop(turn);
                        return self.sale_response(desk, &sale, None).await.map(Some);
                    }
                    Ok(Step::Make(sale)) => owed = owed.or(Some(sale)),
                    Ok(_) | Err(PaywallError::PaymentForAnotherRequest) => {}
                    Err(error) => elsewhere = elsewhere.or(Some(error)),
                },
            }
        }
        if is_unsettled {
            return Err(PaywallError::PaymentUnsettled);
        }
        let Some(sale) = owed else { return elsewhere.map_or(Ok(None), Err) };
        let made = self.make_sold(desk, (request, ""), sale.clone(), (forward, turn)).await;
        let response = match made {
            Ok(Made::Stored) => return self.sale_response(desk, &sale, None).await.map(Some),
            Ok(Made::Spent(_)) => return Ok(None),
            Ok(Made::Refused(response)) => response,
            Err(SaleError::Paywall(owed @ PaywallError::AnswerOwed(_))) => owed.into_response(),
            Err(SaleError::Paywall(error)) => return Err(error),
            Err(SaleError::Refused(refusal, _)) => return Err(PaywallError::SaleRefused(refusal)),
        };
        self.paid_without_answer(&**desk, &sale, (request, None), response).await.map(Some)
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
