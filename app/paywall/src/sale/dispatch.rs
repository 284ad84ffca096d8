use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine, prelude::BASE64_STANDARD};
use motif_sdk::{
    Pubkey,
    acceptance::SaleAcceptance,
    gateway::wire::{
        Payment, mpp,
        sign_in::SignIn,
        x402::{self, EXACT},
    },
};

use super::{
    challenge::{challenge_id, digest_text},
    desk::{SaleDesk, SaleItem},
    refusal::{Refusal, Word},
    transaction::ClientTransaction,
    validity::{OFFER_SECONDS, not_after_v1},
};
use crate::error::PaywallError;

/// Number of headers with a payment, and the one without a channel if there is one.
#[derive(Debug, Default)]
pub(crate) struct Payments {
    /// Number of headers with a payment.
    pub count: usize,
    /// Protocol and value of a payment without a channel.
    pub sale: Option<(Dialect, HeaderValue)>,
}

/// Protocol of a payment without a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// x402, version 2.
    X402,
    /// x402, version 1.
    X402V1,
    /// MPP.
    Mpp,
}

/// Payment without a channel, as a client sent it.
#[derive(Clone, Debug)]
pub(crate) enum SalePayment {
    /// Of x402, version 2.
    X402(Box<x402::Payment>),
    /// Of x402, version 1.
    X402V1(x402::PaymentV1),
    /// Of MPP.
    Mpp(Box<mpp::Credential>),
}

/// Slack of an offer's end, for offers of a process whose clock is ahead.
const CLOCK_SLACK_SECONDS: i64 = 5;

/// Returns whether a request has a payment without a channel, or a sign-in: each is looked up in the store,
/// and a payment is simulated on the cluster.
pub fn is_sale(headers: &HeaderMap) -> bool {
    let names = [x402::PAYMENT_HEADER, x402::PAYMENT_HEADER_V1, SignIn::HEADER];
    let mut values = headers.get_all(mpp::CREDENTIAL_HEADER).iter();
    names.iter().any(|name| headers.contains_key(*name))
        || values.any(|value| value.to_str().is_ok_and(mpp::Credential::is_in))
}

/// Finds the payments of a request, and removes those without a channel: the model server does not
/// receive them.
pub(crate) fn payments(headers: &mut HeaderMap) -> Payments {
    let mut payments =
        Payments { count: headers.get_all(Payment::HEADER).iter().count(), sale: None };
    for (dialect, name) in [
        (Dialect::X402, x402::PAYMENT_HEADER),
        (Dialect::X402V1, x402::PAYMENT_HEADER_V1),
        (Dialect::Mpp, mpp::CREDENTIAL_HEADER),
    ] {
        let is_payment = |value: &&HeaderValue| {
            dialect != Dialect::Mpp || value.to_str().is_ok_and(mpp::Credential::is_in)
        };
        let found: Vec<_> = headers.get_all(name).iter().filter(is_payment).cloned().collect();
        if found.is_empty() {
            continue;
        }
        let others: Vec<_> = headers.get_all(name).iter().cloned().collect();
        headers.remove(name);
        for other in others.into_iter().filter(|other| !found.contains(other)) {
            headers.append(name, other); // another scheme, for the model server
        }
        payments.count += found.len();
        payments.sale = found.into_iter().next().map(|value| (dialect, value));
    }
    payments
}

impl Payments {
    /// Checks that a request has at most one payment, if any is without a channel.
    ///
    /// # Errors
    /// [`PaywallError::TwoPayments`].
    pub fn check_sole(&self) -> Result<(), PaywallError> {
        if self.count > 1 && self.sale.is_some() {
            return Err(PaywallError::TwoPayments);
        }
        Ok(())
    }
}

impl SalePayment {
    /// Reads a payment.
    ///
    /// # Errors
    /// A description of what is malformed.
    pub fn read(dialect: Dialect, value: &HeaderValue) -> Result<Self, String> {
        let text = value.to_str().map_err(|error| error.to_string())?;
        match dialect {
            Dialect::X402 => {
                let payment: x402::Payment =
                    x402::from_header(text).map_err(|error| error.to_string())?;
                payment.identifier().map_err(|error| error.to_string())?;
                Ok(Self::X402(Box::new(payment)))
            }
            Dialect::X402V1 => {
                let payment = x402::from_header(text).map_err(|error| error.to_string())?;
                Ok(Self::X402V1(payment))
            }
            Dialect::Mpp => {
                let credential = mpp::Credential::from_header(text);
                Ok(Self::Mpp(Box::new(credential.map_err(|error| error.to_string())?)))
            }
        }
    }

    /// Returns the protocol.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::X402(_) => Dialect::X402,
            Self::X402V1(_) => Dialect::X402V1,
            Self::Mpp(_) => Dialect::Mpp,
        }
    }

    /// Returns the bytes of the transaction.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn transaction(&self) -> Result<Vec<u8>, Refusal> {
        let text = match self {
            Self::X402(payment) => &payment.payload.transaction,
            Self::X402V1(payment) => &payment.payload.transaction,
            Self::Mpp(credential) => match &credential.payload {
                mpp::CredentialPayload::Transaction { transaction } => transaction,
                mpp::CredentialPayload::Signature { .. } => {
                    let what = "expected a transaction, not a signature: the server pays the fee";
                    return Err(Refusal::new(Word::NotDecoded, what));
                }
            },
        };
        let bytes = BASE64_STANDARD.decode(text);
        bytes.map_err(|error| Refusal::new(Word::NotDecoded, error.to_string()))
    }

    /// Returns the wallet that has signed the transaction as its second signer.
    pub fn wallet(&self) -> Option<Pubkey> {
        let transaction = ClientTransaction::parse(&self.transaction().ok()?).ok()?;
        transaction.buyer(transaction.keys.first()?).ok()
    }

    /// Returns the name that the buyer gave to the payment; empty without one.
    pub fn name(&self) -> &str {
        match self {
            // `read` has checked it.
            Self::X402(payment) => payment.identifier().ok().flatten().unwrap_or_default(),
            Self::X402V1(_) | Self::Mpp(_) => "",
        }
    }

    /// Returns the identifier of MPP's challenge.
    pub fn challenge_id(&self) -> Option<&str> {
        match self {
            Self::Mpp(credential) => Some(&credential.challenge.id),
            Self::X402(_) | Self::X402V1(_) => None,
        }
    }

    /// Returns whether the payment repeats the end and the nonce of an acceptance, which are not on
    /// chain: a copy of a transaction from there gets no answer. Version 1 of x402 has no nonce.
    pub fn repeats(&self, acceptance: &SaleAcceptance) -> bool {
        let stated = match self {
            Self::X402(payment) => {
                let offer = payment.accepted.extra.motif.as_ref();
                offer.map(|offer| (offer.not_after, offer.nonce.0))
            }
            Self::X402V1(_) => return acceptance.nonce == 0,
            Self::Mpp(credential) => stated(&credential.challenge),
        };
        acceptance.nonce != 0 && stated == Some((acceptance.not_after, acceptance.nonce))
    }

    /// Returns the acceptances of an item that the payment may be for, from the offer as this paywall
    /// makes it now. What the client states is compared, never used.
    ///
    /// # Errors
    /// [`Refusal`] if the offer is another one or has ended.
    pub fn acceptances(
        &self,
        desk: &dyn SaleDesk,
        item: &SaleItem,
        (request_digest, body_digest): ([u8; 32], [u8; 32]),
        now: i64,
    ) -> Result<Vec<SaleAcceptance>, Refusal> {
        let ended = || Refusal::new(Word::MemoMismatch, "the offer has ended");
        let check_end = |not_after: i64| {
            let latest = now + OFFER_SECONDS + CLOCK_SLACK_SECONDS;
            if (now..=latest).contains(&not_after) { Ok(()) } else { Err(ended()) }
        };
        let config = desk.config();
        match self {
            Self::X402(payment) => {
                let accepted = &payment.accepted;
                check_scheme(&accepted.scheme)?;
                check_network(&accepted.network, config.network.caip2())?;
                if accepted.amount.0 != item.amount {
                    let what = format!("the price is {} base units", item.amount);
                    return Err(Refusal::new(Word::AmountMismatch, what));
                }
                let offer = accepted.extra.motif.as_ref();
                let missing = || Refusal::new(Word::MemoMismatch, "`extra.motif` is missing");
                let offer = offer.ok_or_else(missing)?;
                check_end(offer.not_after)?;
                Ok(vec![item.acceptance(request_digest, offer.not_after, offer.nonce.0)])
            }
            Self::X402V1(payment) => {
                check_scheme(&payment.scheme)?;
                check_network(&payment.network, config.network.v1())?;
                let ends = [not_after_v1(now), not_after_v1(now - 60)];
                Ok(ends.map(|end| item.acceptance(request_digest, end, 0)).to_vec())
            }
            Self::Mpp(credential) => {
                let challenge = &credential.challenge;
                check_challenge(desk, challenge, body_digest)?;
                let (not_after, nonce) = stated(challenge).ok_or_else(ended)?;
                check_end(not_after)?;
                Ok(vec![item.acceptance(request_digest, not_after, nonce)])
            }
        }
    }
}

/// Returns the end and the nonce of a challenge.
fn stated(challenge: &mpp::Challenge) -> Option<(i64, u64)> {
    let opaque: mpp::Opaque = mpp::decode(challenge.opaque.as_deref()?).ok()?;
    Some((opaque.t.parse().ok()?, u64::from_str_radix(&opaque.n, 16).ok()?))
}

/// Checks that a challenge is one of this seller, for this body.
fn check_challenge(
    desk: &dyn SaleDesk,
    challenge: &mpp::Challenge,
    body_digest: [u8; 32],
) -> Result<(), Refusal> {
    let refuse = |what: &str| Err(Refusal::new(Word::MemoMismatch, what));
    if challenge.id != challenge_id(desk, challenge) {
        return refuse("the challenge is not from this server");
    }
    if challenge.digest.as_ref() != Some(&digest_text(&body_digest)) {
        return refuse("the challenge is for another body");
    }
    Ok(())
}

fn check_scheme(scheme: &str) -> Result<(), Refusal> {
    let refuse = || Refusal::new(Word::UnsupportedScheme, format!("expected the scheme `{EXACT}`"));
    (scheme == EXACT).then_some(()).ok_or_else(refuse)
}

fn check_network(given: &str, expected: &str) -> Result<(), Refusal> {
    let refuse = || Refusal::new(Word::NetworkMismatch, format!("expected network `{expected}`"));
    (given == expected).then_some(()).ok_or_else(refuse)
}

/// Returns the name of the network in a protocol.
pub(crate) fn network(desk: &dyn SaleDesk, dialect: Dialect) -> &'static str {
    let network = desk.config().network;
    match dialect {
        Dialect::X402 => network.caip2(),
        Dialect::X402V1 => network.v1(),
        Dialect::Mpp => network.mpp(),
    }
}
