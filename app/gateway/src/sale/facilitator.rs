use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use motif_paywall::{ClientTransaction, ExpectedPayment, Refusal, Word};
use motif_sdk::{
    Pubkey,
    gateway::wire::{
        Address, Amount,
        sale::{SaleState, TransactionSignature},
        x402::{self, EXACT},
    },
    pda,
};
use rand::Rng;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use super::{Sales, desk::PaymentFor};
use crate::{
    error::GatewayError,
    keys::Caller,
    store::{Change, PaymentId, SaleEvent, StoredSale},
};

/// A seller's request, with what both versions have.
struct Order {
    network: String,
    amount: Amount,
    asset: Pubkey,
    pay_to: Pubkey,
    extra: x402::Extra,
    transaction: ClientTransaction,
    /// Recipient, if the seller has no API key: its share of the budget pays.
    seller: Option<Pubkey>,
}

/// Why a request is not served.
enum FacilitatorError {
    /// The payment is not valid.
    Refused(Refusal),
    /// Another reason.
    Gateway(GatewayError),
}

impl From<Refusal> for FacilitatorError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<GatewayError> for FacilitatorError {
    fn from(error: GatewayError) -> Self {
        Self::Gateway(error)
    }
}

impl Sales {
    /// Returns the payments that the facilitator settles.
    pub fn supported(&self) -> x402::Supported {
        let (network, payer) = (self.sales.paywall.network, Address(self.fee_payer()));
        let kind = |x402_version, network: &str| x402::Kind {
            x402_version,
            scheme: EXACT.to_owned(),
            network: network.to_owned(),
            extra: x402::Extra { fee_payer: Some(payer), ..x402::Extra::default() },
        };
        x402::Supported {
            kinds: vec![kind(2, network.caip2()), kind(1, network.v1())],
            extensions: vec![x402::PAYMENT_IDENTIFIER.to_owned()],
            signers: BTreeMap::from([("solana:*".to_owned(), vec![payer])]),
        }
    }

    /// Returns whether a payment would settle now. One that was sent before, by any seller or by the
    /// paywall, would not.
    ///
    /// # Errors
    /// [`GatewayError::MalformedJson`], [`GatewayError::ChainUnreachable`],
    /// [`GatewayError::StoreFailed`], [`GatewayError::DailyFeesSpent`],
    /// [`GatewayError::SellerFeesSpent`].
    pub async fn verify(
        &self,
        request: &x402::FacilitatorRequest,
        caller: &Caller,
    ) -> Result<x402::Verification, GatewayError> {
        let verified = match self.check_order(request, caller).await {
            Ok((order, payer)) => self.check_new(&order).await.map(|()| payer),
            Err(error) => Err(error),
        };
        match verified {
            Ok(payer) => Ok(x402::Verification {
                is_valid: true,
                invalid_reason: None,
                invalid_message: None,
                payer: Some(Address(payer)),
            }),
            Err(FacilitatorError::Refused(refusal)) => Ok(x402::Verification {
                is_valid: false,
                invalid_reason: Some(refusal.word.as_str().to_owned()),
                invalid_message: Some(refusal.what),
                payer: None,
            }),
            Err(FacilitatorError::Gateway(error)) => Err(error),
        }
    }

    /// Settles a payment. One call is answered that it has landed; calls after it, and those for a
    /// payment that the paywall sold, get `duplicate_settlement` with the transaction. A call after an
    /// answer of `settlement_pending`, or after none, gets the stored result.
    ///
    /// # Errors
    /// As [`Sales::verify`]; [`GatewayError::SignerUnavailable`].
    pub async fn settle(
        self: &Arc<Self>,
        request: &x402::FacilitatorRequest,
        caller: &Caller,
    ) -> Result<x402::Settlement, GatewayError> {
        let network = request.payment_requirements["network"].as_str().unwrap_or_default();
        let refused =
            |refusal: Refusal| Ok(x402::Settlement::failed(refusal.word.as_str(), network));
        let (order, payer) = match self.check_order(request, caller).await {
            Ok(checked) => checked,
            Err(FacilitatorError::Refused(refusal)) => return refused(refusal),
            Err(FacilitatorError::Gateway(error)) => return Err(error),
        };
        let id = order.transaction.id();
        let stored = match self.store.sales().find(&id).await? {
            Some(stored) => stored,
            None => {
                if let Err(reason) = self.simulate_payment(&order.transaction).await? {
                    return refused(Refusal::new(Word::SimulationFailed, reason));
                }
                let payment = PaymentFor {
                    wallet: payer,
                    request_digest: [0; 32],
                    name: String::new(),
                    acceptance: None,
                    parts: 0,
                    operator_parts: 0,
                    answer: id,
                    output_digest: None,
                    seller: order.seller,
                };
                self.submit_payment(&order.transaction, payment).await?
            }
        };
        let answer = |stored: &StoredSale, word| Ok(settlement(&order, payer, stored, word));
        if stored.acceptance.is_some() || stored.told_call.is_some() {
            return answer(&stored, Some(Word::DuplicateSettlement));
        }
        let within = Duration::from_secs(self.sales.facilitator_seconds.into());
        let ended = match timeout(within, self.ended(&id)).await {
            Ok(Ok(ended)) => ended,
            Err(_) | Ok(Err(GatewayError::PaymentUnsettled)) => {
                return answer(&stored, Some(Word::SettlementPending));
            }
            Ok(Err(error)) => return Err(error),
        };
        match ended.state {
            SaleState::Landed if self.tell(&id).await? => answer(&ended, None),
            SaleState::Landed => answer(&ended, Some(Word::DuplicateSettlement)),
            SaleState::Sent => answer(&ended, Some(Word::SettlementPending)),
            SaleState::Failed | SaleState::Expired => answer(&ended, Some(Word::TransactionFailed)),
        }
    }

    /// Records durably that a call is answered that a payment has landed. Returns whether it is the first
    /// one, of those of all processes.
    async fn tell(&self, payment: &PaymentId) -> Result<bool, GatewayError> {
        let call = rand::rng().random();
        let change = Change::Sale { payment: *payment, event: SaleEvent::Told { call } };
        self.store.writer().write(change).await?;
        let stored = self.store.sales().find(payment).await?;
        // Another process may have stored it as a sale of the paywall.
        let is_first =
            |stored: StoredSale| stored.acceptance.is_none() && stored.told_call == Some(call);
        Ok(stored.is_some_and(is_first))
    }

    /// Checks a payment by its own bytes and by its seller. Returns the payer.
    async fn check_order(
        &self,
        request: &x402::FacilitatorRequest,
        caller: &Caller,
    ) -> Result<(Order, Pubkey), FacilitatorError> {
        let order = self.read_order(request)?;
        let seller = caller.0.is_none().then_some(order.pay_to);
        let order = Order { seller, ..order };
        if order.extra.fee_payer.is_some_and(|payer| payer.0 != self.fee_payer()) {
            let what = format!("the fee payer must be {}", self.fee_payer());
            return Err(Refusal::new(Word::FeePayerMismatch, what).into());
        }
        if order.amount.0 < self.sales.paywall.least_price.max(1) {
            let what =
                format!("at least {} base units are settled", self.sales.paywall.least_price);
            return Err(Refusal::new(Word::AmountMismatch, what).into());
        }
        let not_served = |what: &str| FacilitatorError::from(Refusal::new(Word::NotServed, what));
        if !self.serves(&order.asset) {
            return Err(not_served("the mint is not served"));
        }
        // Strangers' payments would cost the operator fees.
        if caller.0.is_none() && !self.has_till(&order.pay_to).await? {
            return Err(not_served("`payTo` is no till of this operator: send an API key"));
        }
        let Some((currency, _)) = self.currency(order.asset).await? else {
            return Err(Refusal::new(Word::MintMismatch, "the mint does not exist").into());
        };
        let expected = ExpectedPayment {
            fee_payer: self.fee_payer(),
            tokens: pda::tokens(&order.pay_to, &order.asset, &currency.token_program),
            mint: order.asset,
            token_program: currency.token_program,
            amount: order.amount.0,
            memo: order.extra.memo.clone(),
        };
        let payer = expected.check(&order.transaction)?;
        Ok((order, payer))
    }

    /// Checks that a payment was not sent before, that it does not fail, and that its fee is paid.
    async fn check_new(&self, order: &Order) -> Result<(), FacilitatorError> {
        let stored = self.store.sales().find(&order.transaction.id()).await;
        if stored.map_err(GatewayError::from)?.is_some() {
            let what = "the payment was settled before";
            return Err(Refusal::new(Word::DuplicateSettlement, what).into());
        }
        self.budget.check(self.cluster.now(), order.seller)?;
        match self.simulate_payment(&order.transaction).await? {
            Ok(()) => Ok(()),
            Err(reason) => Err(Refusal::new(Word::SimulationFailed, reason).into()),
        }
    }

    /// Reads a request of either version.
    fn read_order(&self, request: &x402::FacilitatorRequest) -> Result<Order, FacilitatorError> {
        let network = self.sales.paywall.network;
        let (payload, requirements) = (&request.payment_payload, &request.payment_requirements);
        let (scheme, order, expected, text) = match request.x402_version {
            2 => {
                let payment: x402::Payment = read(payload)?;
                let wanted: x402::Requirements = read(requirements)?;
                let x402::Requirements {
                    scheme, network: own, amount, asset, pay_to, extra, ..
                } = wanted;
                (scheme, (own, amount, asset, pay_to, extra), network.caip2(), payment.payload)
            }
            1 => {
                let payment: x402::PaymentV1 = read(payload)?;
                let wanted: x402::RequirementsV1 = read(requirements)?;
                let x402::RequirementsV1 {
                    scheme,
                    network: own,
                    max_amount_required,
                    asset,
                    pay_to,
                    extra,
                    ..
                } = wanted;
                let order = (own, max_amount_required, asset, pay_to, extra);
                (scheme, order, network.v1(), payment.payload)
            }
            other => {
                let what = format!("unsupported `x402Version` {other}: expected 1 or 2");
                return Err(GatewayError::MalformedJson(what).into());
            }
        };
        let (own, amount, asset, pay_to, extra) = order;
        if scheme != EXACT {
            return Err(Refusal::new(Word::UnsupportedScheme, "expected the scheme `exact`").into());
        }
        if own != expected {
            let what = format!("expected network `{expected}`");
            return Err(Refusal::new(Word::NetworkMismatch, what).into());
        }
        let bytes = BASE64_STANDARD.decode(&text.transaction);
        let bytes = bytes.map_err(|error| Refusal::new(Word::NotDecoded, error.to_string()))?;
        let transaction = ClientTransaction::parse(&bytes)?;
        let (asset, pay_to) = (asset.0, pay_to.0);
        Ok(Order { network: own, amount, asset, pay_to, extra, transaction, seller: None })
    }
}

/// Returns the settlement of a payment, which succeeds without a reason against it.
fn settlement(
    order: &Order,
    payer: Pubkey,
    stored: &StoredSale,
    reason: Option<Word>,
) -> x402::Settlement {
    x402::Settlement {
        success: reason.is_none(),
        error_reason: reason.map(|word| word.as_str().to_owned()),
        transaction: TransactionSignature(stored.signature).to_string(),
        network: order.network.clone(),
        payer: Some(Address(payer)),
        amount: Some(order.amount),
        extensions: BTreeMap::new(),
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, GatewayError> {
    T::deserialize(value).map_err(|error| GatewayError::MalformedJson(error.to_string()))
}
